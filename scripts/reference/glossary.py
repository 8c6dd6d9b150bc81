"""docs/glossary.md, from the project's own copy of the glossary."""

import csv
from pathlib import Path

from scripts.reference.markdown import page, table

ROOT = Path(__file__).resolve().parents[2]
TERMS = ROOT / "src" / "wardkeeper" / "locale" / "glossary.tsv"

INTRODUCTION = """
One thing, one name: on every screen, in the API, in the code and in the documents. 事件 is *incident*; what
monitoring reports is 告警, *alarm*, or 事态.
"""


def rows() -> list[dict[str, str]]:
    """zh, en, abbr, note of each term."""
    with TERMS.open(encoding="utf-8", newline="") as file:
        return [
            {key: value or "" for key, value in row.items()} for row in csv.DictReader(file, delimiter="\t")
        ]


def reference() -> str:
    cells = [(row["zh"], row["en"], row["abbr"], row["note"]) for row in rows()]
    return page("Glossary", INTRODUCTION, table(("中文", "English", "abbr.", "note"), cells))
