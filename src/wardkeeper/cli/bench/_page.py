"""Keeps docs/reference/bench.md: one section a bench, one table row a scale; a new run replaces its old row."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HEAD = """# Measured figures

Written by `make bench` (`wardkeeper bench NAME --write`). Each row is one run on the machine it names;
rows of one bench at several scales show how the cost grows. Figure names carry their unit.
"""
SECTION = re.compile(r"^## ([a-z-]+)$", re.MULTILINE)
DATA = re.compile(r"<!-- (\{.*\}) -->")


def put(page: Path, result: Mapping[str, Any], *, description: str) -> None:
    """Adds `result` to `page`, beside the benches and scales that are already there."""
    sections = _read(page)
    row = {**result, "on": datetime.now(UTC).date().isoformat()}
    others = [one for one in sections.get(result["bench"], ("", []))[1] if _place(one) != _place(row)]
    sections[result["bench"]] = (description, sorted([*others, row], key=_place))
    page.write_text(
        HEAD + "".join(_section(name, *sections[name]) for name in sorted(sections)), encoding="utf-8"
    )


def _place(row: Mapping[str, Any]) -> tuple[int, str, float]:
    """What makes a row the same row: machine and scale."""
    return row["machine"]["cores"], row["machine"]["cpu"], row["settings"]["scale"]


def _read(page: Path) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    if not page.exists():
        return {}
    parts = SECTION.split(page.read_text(encoding="utf-8"))
    return {
        name: (
            text.partition("\n\n|")[0].strip(),
            [json.loads(found[1]) for found in DATA.finditer(text)],
        )
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def _section(name: str, description: str, rows: list[dict[str, Any]]) -> str:
    figures = list(dict.fromkeys(figure for row in rows for figure in row["figures"]))
    columns = ["scale", *figures, "machine", "on"]
    lines = [
        f"\n## {name}\n",
        description + "\n",
        "| " + " | ".join(columns) + " |",
        "|---" * len(columns) + "|",
    ]
    for row in rows:
        where = f"{row['machine']['cores']} cores, {row['machine']['cpu']}, {row['machine']['memory_gb']} GB"
        cells = [
            f"{row['settings']['scale']:g}",
            *(_cell(row["figures"].get(one)) for one in figures),
            where,
            row["on"],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    # The rows themselves, so that the next run can be put beside them; readers do not see comments.
    lines += ["", *(f"<!-- {json.dumps(row, sort_keys=True)} -->" for row in rows), ""]
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"  # noqa: PLR2004 - thousands get separators
