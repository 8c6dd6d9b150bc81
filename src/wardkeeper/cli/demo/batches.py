"""Writes the year in batches, on two cores: children make the lines of COPY, the parent sends them.

Each batch has its own random numbers, so it does not matter which child makes it or when.
"""

import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from wardkeeper.cli.demo.bulk import as_text
from wardkeeper.cli.demo.journal import Author
from wardkeeper.cli.demo.line import Line
from wardkeeper.cli.demo.year import Case
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.processing.incident.models import Incident

BATCH = 3000
CHILDREN = 2


@dataclass(frozen=True, slots=True)
class Texts:
    """Lines for COPY, in the order in which they must be sent."""

    records: bytes
    entries: bytes
    incidents: bytes
    entry_count: int


@dataclass(frozen=True, slots=True)
class _Work:
    author: Author
    cases: Sequence[Case]
    ids: Sequence[int]
    seed: int


_WORK: list[_Work] = []
"""What the children find in the memory that they share with us; a pool cannot hand it over."""


def written_by_two(
    author: Author, cases: Sequence[Case], ids: Sequence[int], *, seed: int
) -> Iterator[Texts]:
    """The batches in order. The children are forked: they must not touch the database's connection."""
    _WORK[:] = [_Work(author, cases, ids, seed)]
    try:
        with multiprocessing.get_context("fork").Pool(CHILDREN) as pool:
            yield from pool.imap(_batch, range(0, len(cases), BATCH))
    finally:
        _WORK.clear()


def _batch(start: int) -> Texts:
    work = _WORK[0]
    cases = work.cases[start : start + BATCH]
    author = work.author
    author.rng = Random(f"{work.seed}/{start}")  # noqa: S311 - an example, nothing secret
    author.ids = iter(work.ids[start : start + BATCH])
    day = author.day(cases[0].opened_at)
    earlier = 0
    while start - earlier > 0 and author.day(work.cases[start - earlier - 1].opened_at) == day:
        earlier += 1
    author.numbers = Counter({day: earlier})
    return texts([author.close(case) for case in cases])


def texts(made: Sequence[tuple[Record, list[Line]]]) -> Texts:
    """Records with their journals as lines."""
    records = [record for record, _ in made]
    lines = [line for _, journal in made for line in journal]
    incidents = [
        Incident(record=record, detected_by="monitoring" if record.channel == "monitoring" else "people")
        for record in records
    ]
    return Texts(
        as_text(Record, records, with_id=True),
        as_text(Entry, lines, with_id=False),
        as_text(Incident, incidents, with_id=True),
        len(lines),
    )
