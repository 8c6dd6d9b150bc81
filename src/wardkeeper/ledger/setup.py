"""The categories that every installation starts with, from categories.tsv; a hospital's changes are kept."""

import csv
from importlib.resources import files

from wardkeeper.ledger.models import Category


def ensure() -> None:
    with (files("wardkeeper.ledger") / "categories.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    known = set(Category.objects.values_list("code", flat=True))
    Category.objects.bulk_create(Category(**row) for row in rows if row["code"] not in known)
