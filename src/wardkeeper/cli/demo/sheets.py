"""Reads the tables of `data/`: tab-separated, first line the names of the columns."""

import csv
from functools import cache
from importlib.resources import files


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The lines of `data/<name>.tsv`, in order."""
    with (files("wardkeeper.cli.demo") / "data" / f"{name}.tsv").open(encoding="utf-8") as file:
        return tuple(csv.DictReader(file, delimiter="\t"))
