"""Fills an empty installation with hospital M and a year of its records. Needs Django and the database."""

import logging
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from wardkeeper.cli.demo import course, hospital, staff, year
from wardkeeper.cli.demo.batches import Texts, texts, written_by_two
from wardkeeper.cli.demo.bulk import copy_text, reserve_ids
from wardkeeper.cli.demo.journal import Author
from wardkeeper.cli.demo.line import Line
from wardkeeper.cli.demo.watched import watch_devices
from wardkeeper.ledger import chain
from wardkeeper.ledger.models import Category, Entry, NumberCounter, Record
from wardkeeper.ledger.services.records import keep_workflow
from wardkeeper.processing.incident.models import Incident
from wardkeeper.processing.incident.workflow import WORKFLOW
from wardkeeper.processing.sla import policy
from wardkeeper.processing.sla import services as sla
from wardkeeper.registry.people.models import Person
from wardkeeper.runtime.errors import RefusalError

log = logging.getLogger(__name__)

SEED = 20261122
FOLLOWED = 1000
CLOCKS_FOR = timedelta(days=31)
"""Clocks of records that ended longer ago are left out: they would take longer than everything else."""
OPEN_NOW = {
    "new": 7, "assigned": 16, "returned": 2, "accepted": 16, "on_site": 7, "diagnosing": 12, "pending": 9,
    "restored": 3, "resolved": 6,
}  # fmt: skip
_OFFICE_DAY_MIN = 7.5 * 60


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded, and the seconds each part took."""

    records: int
    entries: int
    seconds: dict[str, float]


def is_loaded() -> bool:
    return Person.objects.filter(username=staff.DEMO_PEOPLE[0][0]).exists()


def require_empty() -> None:
    """Raises RefusalError if somebody works with this installation: its hospital would be renamed."""
    if Record.objects.exists() or Person.objects.count() > 1:
        raise RefusalError(
            "--demo needs a data directory of its own: this one holds records or people; choose another with --data"
        )


@transaction.atomic
def load(password: str, *, now: datetime, count: int = year.RECORDS_A_YEAR, seed: int = SEED) -> Loaded:
    """Everything in one transaction, sealed. The same seed and time give the same data.

    Raises RefusalError if the installation is in use.
    """
    require_empty()
    seconds: dict[str, float] = {}
    lap = time.monotonic()
    rng = Random(seed)  # noqa: S311 - an example, nothing secret
    root, units = hospital.build_places()
    people = staff.hire(rng, root, units, password=password)
    systems = hospital.build_systems(units, people.teams)
    terminals = hospital.build_terminals(rng, root, units, people.teams)
    watch_devices(units, systems, people.teams)
    lap = _lap(seconds, "hospital", lap)
    keep_workflow(WORKFLOW)
    cases = year.draw(rng, until=now, timezone=settings.TIME_ZONE, count=count)
    ids = reserve_ids(Record, count + sum(OPEN_NOW.values()))
    author = Author(
        rng,
        hospital.Hospital(root, units, systems, terminals),
        people,
        now,
        ZoneInfo(settings.TIME_ZONE),
        {category.code: category for category in Category.objects.all()},
        iter(ids[count:]),
        Counter(f"{case.opened_at.astimezone(ZoneInfo(settings.TIME_ZONE)):%Y%m%d}" for case in cases),
    )
    entries = 0
    for batch in written_by_two(author, cases, ids, seed=seed):
        entries += _store(batch)
    entries += _store(texts(_still_open(author, now)))
    _count_numbers(author)
    lap = _lap(seconds, "records", lap)
    ended = [pk for pk, case in zip(ids, cases, strict=False) if case.opened_at > now - CLOCKS_FOR]
    recent = ended + ids[count:]
    for start in range(0, len(recent), FOLLOWED):
        sla.follow(recent[start : start + FOLLOWED])
    lap = _lap(seconds, "clocks", lap)
    chain.seal()
    _lap(seconds, "seal", lap)
    return Loaded(len(ids), entries, seconds)


def analyse() -> None:
    """Tells the planner what is there now, instead of some minutes later."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _lap(seconds: dict[str, float], name: str, since: float) -> float:
    at = time.monotonic()
    seconds[name] = round(at - since, 2)
    return at


def _store(batch: Texts) -> int:
    copy_text(Record, batch.records, with_id=True)
    copy_text(Entry, batch.entries, with_id=False)
    copy_text(Incident, batch.incidents, with_id=True)
    return batch.entry_count


def _still_open(author: Author, now: datetime) -> list[tuple[Record, list[Line]]]:
    """What lies on the tables now: old enough that some of it is nearly due, and some overdue."""
    mix, rng = year.kinds(), author.rng
    made = []
    for state, wanted in OPEN_NOW.items():
        is_taken = state not in ("new", "assigned")
        for _ in range(wanted):
            kind = rng.choices(mix, [each.share for each in mix])[0]
            channel = rng.choices(list(year.CHANNELS), list(year.CHANNELS.values()))[0]
            age = partial(_age, rng, is_taken=is_taken)
            record, words, opening = author.begin(now, kind.code, channel, age=age)
            age_min = (now - record.opened_at).total_seconds() / 60
            steps = course.so_far(
                rng, state, age_min=age_min, solution=words["solution"], cause=words["cause"]
            )
            made.append((record, [opening, *author.follow(record, steps)]))
    return made


def _age(rng: Random, level: int, *, is_taken: bool) -> timedelta:
    """Some share of the target of the clock that runs: accepting, or restoring and resolving."""
    row = policy.DEFAULT[str(level)]
    target = row["accept"] if not is_taken else row.get("restore", row["resolve"])
    minutes = target.get("minutes", 0) + 60 * target.get("hours", 0) + _OFFICE_DAY_MIN * target.get("days", 0)
    return timedelta(minutes=minutes * rng.uniform(0.1, 1.12))


def _count_numbers(author: Author) -> None:
    """So that the next record of today goes on after the last."""
    NumberCounter.objects.bulk_create(
        NumberCounter(
            hospital=author.hospital.root,
            code=WORKFLOW.code,
            on=date(int(day[:4]), int(day[4:6]), int(day[6:])),
            last=last,
        )
        for day, last in author.numbers.items()
    )
