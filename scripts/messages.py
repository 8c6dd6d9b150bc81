r"""The one translation catalogue: `src/wardkeeper/locale/zh_Hans/LC_MESSAGES/django.po`, without gettext.

    python scripts/messages.py add FILE.tsv     msgid <tab> msgstr [<tab> context]; merges and compiles
    python scripts/messages.py missing          prints what the code says and it lacks; exit 1 if any
    python scripts/messages.py unused           prints what the catalogue has and the code no longer says
    python scripts/messages.py extract          brings plurals and contexts up to date, drops what is unused
    python scripts/messages.py compile          writes the .mo files

In a TSV line `\n` and `\t` stand for the characters. English is the msgid itself, so it needs no catalogue.
Several people may run `add` at once: a lock on the catalogue's folder makes them take turns.
"""

import argparse
import fcntl
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "wardkeeper"
LOCALE = SOURCE / "locale"
CATALOGUE = LOCALE / "zh_Hans" / "LC_MESSAGES" / "django.po"

KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Headers that hold a clock, a tool's version or nothing: they would only make every change look bigger.
EMPTY_HEADERS = re.compile(
    r'"(Project-Id|Report-Msgid|POT-Creation|PO-Revision|Last-Trans|Language-Team|Generated-By)'
)
TEMPLATE_COMMENT = re.compile(r"\{#.*?#\}|\{%\s*comment\b.*?%\}.*?\{%\s*endcomment\s*%\}", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """One thing the program says. `plural` is "" where there is only one form."""

    msgid: str
    context: str = ""
    plural: str = ""


def _python_of(template: str) -> str:
    # One line: Python's tokenizer would take the template's indentation for its own and stumble.
    # Comments go first, because Django turns translators' notes into "# ...", which would hide the rest.
    return templatize(TEMPLATE_COMMENT.sub("", template)).replace("\n", " ")


def texts_of(path: Path) -> Iterator[Text]:
    """What one module or template says."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        source = _python_of(source)
    stream = io.BytesIO(source.encode("utf-8"))
    for _line, messages, _comments, context in extract(
        "python", stream, KEYWORDS, options={"encoding": "utf-8"}
    ):
        forms = messages if isinstance(messages, tuple) else (messages,)
        if forms[0]:
            yield Text(forms[0], context or "", forms[1] if len(forms) > 1 and forms[1] else "")


def said(source: Path = SOURCE) -> set[Text]:
    """What the whole program says."""
    found: set[Text] = set()
    for path in sorted(source.rglob("*")):
        if path.suffix in {".py", ".html", ".txt"} and not {"vendor", "migrations"} & set(path.parts):
            if path.suffix == ".txt" and "templates" not in path.parts:
                continue
            found.update(texts_of(path))
    # One msgid used both with and without a plural is one entry of the catalogue: the one with the plural.
    plurals = {(text.msgid, text.context) for text in found if text.plural}
    return {text for text in found if text.plural or (text.msgid, text.context) not in plurals}


@contextmanager
def locked() -> Iterator[None]:
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(CATALOGUE.parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read(path: Path = CATALOGUE) -> Catalog:
    if not path.exists():
        return Catalog(locale="zh_Hans", domain="django")
    with path.open("rb") as source:
        return read_po(source, locale="zh_Hans", domain="django")


def _entries(catalog: Catalog) -> dict[tuple[str, str], tuple[str, str]]:
    """(msgid, context) -> (msgstr, plural msgid)."""
    rows = {}
    for message in catalog:
        if not message.id:
            continue
        forms = message.id if isinstance(message.id, tuple | list) else (message.id, "")
        text = message.string if isinstance(message.string, str) else (message.string or [""])[0]
        rows[forms[0], message.context or ""] = (text, forms[1])
    return rows


def write(rows: dict[tuple[str, str], tuple[str, str]]) -> None:
    """Sorted and without line numbers, so that two changes seldom touch the same line; then compiled."""
    catalog = Catalog(locale="zh_Hans", domain="django", project="Wardkeeper", fuzzy=False)
    catalog.header_comment = (
        "# Chinese words of Wardkeeper. Written by `python scripts/messages.py add FILE.tsv`."
    )
    for (msgid, context), (msgstr, plural) in sorted(rows.items()):
        catalog.add(
            (msgid, plural) if plural else msgid, (msgstr,) if plural else msgstr, context=context or None
        )
    target = io.BytesIO()
    write_po(target, catalog, width=110, omit_header=False, sort_output=True, include_previous=False)
    kept = [line for line in target.getvalue().decode().splitlines() if not EMPTY_HEADERS.match(line)]
    _replace(CATALOGUE, "\n".join(kept).rstrip() + "\n")
    compile_all()


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def compile_all() -> None:
    for po in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        fresh = po.with_suffix(".mo.new")
        with fresh.open("wb") as target:
            write_mo(target, read(po))
        fresh.replace(po.with_suffix(".mo"))


def _rows_of(tsv: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(tsv.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        cells = [cell.replace("\\n", "\n").replace("\\t", "\t") for cell in line.split("\t")]
        if len(cells) not in {2, 3} or not cells[0] or not cells[1]:
            raise SystemExit(
                f"{tsv}:{number}: wants msgid <tab> msgstr [<tab> context], has {len(cells)} columns"
            )
        yield cells[0], cells[1], cells[2] if len(cells) == 3 else ""  # noqa: PLR2004 - columns, counted above


def add(tsv: Path) -> None:
    fresh = {(msgid, context): msgstr for msgid, msgstr, context in _rows_of(tsv)}
    plurals = {(text.msgid, text.context): text.plural for text in said()}
    with locked():
        rows = _entries(read())
        for key, (msgstr, plural) in list(rows.items()):
            rows[key] = (msgstr, plurals.get(key, plural))
        rows.update({key: (msgstr, plurals.get(key, "")) for key, msgstr in fresh.items()})
        write(rows)
    print(f"{len(fresh)} merged, {len(rows)} in the catalogue")


def missing() -> list[Text]:
    rows = _entries(read())
    return sorted(text for text in said() if not rows.get((text.msgid, text.context), ("", ""))[0])


def unused() -> list[tuple[str, str]]:
    spoken = {(text.msgid, text.context) for text in said()}
    return sorted(set(_entries(read())) - spoken)


def refresh() -> None:
    spoken = {(text.msgid, text.context): text.plural for text in said()}
    with locked():
        rows = _entries(read())
        write({key: (rows[key][0], plural) for key, plural in spoken.items() if key in rows})


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["add", "missing", "unused", "extract", "compile"])
    parser.add_argument("file", nargs="?", type=Path, help="for `add`")
    arguments = parser.parse_args()
    if arguments.command == "add":
        if arguments.file is None:
            parser.error("add wants a FILE.tsv")
        add(arguments.file)
    elif arguments.command == "missing":
        texts = missing()
        for text in texts:
            print(text.msgid.replace("\n", "\\n") + (f"\t\t{text.context}" if text.context else ""))
        return 1 if texts else 0
    elif arguments.command == "unused":
        for msgid, _context in unused():
            print(msgid.replace("\n", "\\n"))
    elif arguments.command == "extract":
        refresh()
    else:
        compile_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
