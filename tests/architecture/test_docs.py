"""The documents say what the program does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.docs import pages as generated_pages
from scripts.reference import adapters, api
from scripts.reference.cli import parser_of
from scripts.reference.settings import example
from tests.architecture import pages
from wardkeeper.cli.main import COMMANDS
from wardkeeper.ledger.workflow import registered
from wardkeeper.messages import TOPICS
from wardkeeper.settings import load
from wardkeeper.settings.load import known

ROOT = Path(__file__).resolve().parents[2]
GENERATED = generated_pages()


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_page_is_current(name):
    assert _text(name) == GENERATED[name](), f"{name} is out of date; run `make docs`"


def test_every_link_leads_somewhere():
    assert pages.dead_links(ROOT) == []


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("docs/reference/settings.md", lambda: list(known())),
        ("docs/reference/cli.md", lambda: [f"## {name}" for name, one in COMMANDS.items() if one.help]),
        ("docs/reference/adapters.md", lambda: [f"## {name}" for name in adapters.known()]),
        ("docs/reference/messages.md", lambda: [f"## {topic}" for topic in TOPICS]),
        ("docs/reference/api.md", lambda: [f"## {group}" for group in api.groups()]),
        ("docs/reference/workflows.md", lambda: [f"## {one.kind}" for one in registered()]),
    ],
)
def test_nothing_is_left_out_of_its_reference_page(page, names):
    text = _text(page)
    assert names()
    assert [name for name in names() if name not in text] == []


def test_every_adapter_has_a_readme_and_samples():
    folder = ROOT / adapters.REPOSITORY_PATH
    for name in adapters.known():
        assert (folder / name / "README.md").is_file(), f"{name} has no README.md"


def test_every_command_says_what_each_argument_means():
    silent = [
        f"{name} {action.dest}"
        for name, command in COMMANDS.items()
        if command.help
        for action in parser_of(name)._actions
        if not action.help and not action.choices
    ]
    assert silent == []


def test_example_settings_are_accepted_with_every_line_taken_in(tmp_path):
    """Each commented line is a default, so the file may be used as it is or with its marks taken off."""
    lines = []
    for line in example().splitlines():
        bare = line.removeprefix("# ")
        is_setting = " = " in bare and bare.split(" = ")[0].isidentifier()
        if is_setting and not bare.split(" = ")[0].endswith("_file"):
            lines.append(bare)
        elif line.startswith("["):
            lines.append(line)
    file = tmp_path / "wardkeeper.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    taken = load(config=file, data=tmp_path)
    assert taken.web == load(data=tmp_path / "none").web
    assert taken.adapters["syslog"]["port"] == 9514


def test_site_builds_without_a_warning(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "reference" / "settings.html").is_file()


def test_dead_link_is_caught(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# A thing\n[b](b.md) [c](#a-thing) `[d](d.md)` [e](https://e)\n")
    assert len(pages.dead_links(tmp_path)) == 1
    (tmp_path / "docs" / "b.md").write_text("# B\n[a](a.md#a-thing) [a](a.md#nothing)\n")
    assert pages.dead_links(tmp_path) == ["docs/b.md: a.md#nothing has no such heading"]
