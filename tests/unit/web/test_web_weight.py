"""What a browser loads before the first page: everything of ours, small, old browsers included."""

import gzip
import re
from pathlib import Path

WEB = Path(__file__).parents[3] / "src" / "wardkeeper" / "presentation" / "web"
STATIC = WEB / "static" / "web"
MOST_BYTES = 200_000


def first_load() -> list[Path]:
    root = (WEB / "templates" / "web" / "root.html").read_text(encoding="utf-8")
    named = [STATIC / each for each in re.findall(r"\{% static 'web/([^']+)' %\}", root)]
    return [*named, *(STATIC / "js").glob("*.js"), STATIC / "vendor" / "icons.svg"]


def test_the_first_load_is_light():
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in set(first_load())}
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_a_heavy_library_comes_only_with_the_page_that_needs_it():
    assert "echarts.js" not in {path.name for path in first_load()}


def test_style_sheets_use_nothing_newer_than_chrome_80():
    newer = re.compile(
        r"color-mix\(|:has\(|:is\(|:where\(|@container|@layer|\binset:|aspect-ratio:|light-dark\("
    )
    for path in (STATIC / "css").glob("*.css"):
        assert not newer.search(path.read_text(encoding="utf-8")), path.name


def test_nothing_names_a_source_map_or_another_host():
    for path in STATIC.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text, path.name


def test_every_vendored_library_has_its_licence():
    readme = (STATIC / "vendor" / "README.md").read_text(encoding="utf-8")
    for line in re.findall(r"^- .+$", readme, re.MULTILINE):
        assert (STATIC / "vendor" / line.rpartition(": ")[2]).exists(), line


def test_every_icon_that_a_template_names_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "vendor" / "icons.svg").read_text()))
    presentation = WEB.parent
    named = {
        name
        for path in presentation.rglob("*.html")
        for name in re.findall(r"\{% icon \"([^\"]+)\"", path.read_text(encoding="utf-8"))
    }
    assert named <= sprite, named - sprite
