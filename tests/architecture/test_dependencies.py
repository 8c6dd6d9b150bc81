"""What the code imports is declared, and what is pinned carries no address of any index."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-collector.lock", "requirements-dev.lock"]


def _deptry(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deptry", "src", "--no-ansi"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_import_is_declared_and_every_declared_package_is_used():
    run = _deptry(ROOT)
    assert run.returncode == 0, run.stderr + run.stdout


def test_undeclared_import_is_caught(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "wardkeeper"\nversion = "1"\ndependencies = []\n'
    )
    room = tmp_path / "src" / "wardkeeper"
    room.mkdir(parents=True)
    (room / "__init__.py").write_text("import json\n")
    assert _deptry(tmp_path).returncode == 0
    (room / "poll.py").write_text("import requests\n")
    run = _deptry(tmp_path)
    assert run.returncode == 1
    assert "requests" in run.stderr + run.stdout


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash_and_none_an_address(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--(index|extra-index|find-links|trusted)", text, re.MULTILINE)
    pins = re.findall(r"^([a-z0-9._-]+)==[^\n]*\\\n\s+--hash=sha256:", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE))


def test_npm_pins_have_integrity_and_no_address():
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, package in packages.items():
        if name:
            assert package["integrity"].startswith("sha512-")
            assert "resolved" not in package


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", one)[0].lower().replace("_", "-") for one in requirements} - {
        "wardkeeper"
    }


@pytest.mark.parametrize(
    ("lock", "extras", "groups"),
    [
        ("requirements.lock", ["collector", "server"], ["build"]),
        ("requirements-collector.lock", ["collector"], ["build"]),
        ("requirements-dev.lock", ["collector", "server"], ["build", "dev"]),
    ],
)
def test_every_declared_package_is_pinned(lock, extras, groups):
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = _names(document["project"]["dependencies"])
    for extra in extras:
        wanted |= _names(document["project"]["optional-dependencies"][extra])
    for group in groups:
        wanted |= _names([one for one in document["dependency-groups"][group] if isinstance(one, str)])
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
    assert wanted - pinned == set(), f"run `make lock` to bring {lock} up to date"
