"""The work of the bench `clocks`, in a process whose environment names the database."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import django
from django.utils import timezone

if TYPE_CHECKING:
    from wardkeeper.ledger.models import Record
    from wardkeeper.processing.sla.models import ClockEvent

DEADLINES = 100_000
CLOCKS = ("accept", "restore", "resolve")
_OPENED_OVER = timedelta(days=90)
_CHUNK = 2_000
_WEEK = {day: [["08:00", "12:00"], ["14:00", "17:30"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def main(scale: float) -> dict[str, float]:
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    count = max(round(DEADLINES * scale / len(CLOCKS)), 1)
    hospital = _records(count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"recompute_s": _recompute(hospital, count), "compute_s": _compute(count)}


def _records(count: int) -> int:
    """Open incidents with running clocks; returns the hospital. Makes rows directly: not what is measured."""
    from wardkeeper.ledger.models import Record
    from wardkeeper.processing.sla import services
    from wardkeeper.processing.sla.models import ClockEvent
    from wardkeeper.registry.calendars.services import save_calendar
    from wardkeeper.registry.places.services import create_place

    root = create_place(kind="hospital", code="B", name_zh="测试医院", name_en="Bench hospital")
    save_calendar(
        "service-hours", hospital=root.pk, name_zh="服务时间", name_en="Service hours",
        timezone="Asia/Shanghai", week=_WEEK,
    )  # fmt: skip
    now = timezone.now()
    for first in range(0, count, _CHUNK):
        rows = [
            Record(
                hospital=root, kind="incident", number=f"B-{at}", workflow_version=1, state="new", title="Bench",
                place=root, place_path=root.path, channel="portal", priority=3,
                occurred_at=_opened_at(now, at, count), opened_at=_opened_at(now, at, count),
            )
            for at in range(first, min(first + _CHUNK, count))
        ]  # fmt: skip
        made = Record.objects.bulk_create(rows)
        services.follow([row.pk for row in made])
        ClockEvent.objects.bulk_create(_pauses(made))
    return root.pk


def _opened_at(now: datetime, at: int, count: int) -> datetime:
    return now - _OPENED_OVER * ((at + 1) / count)


def _pauses(records: "Sequence[Record]") -> "Iterator[ClockEvent]":
    """Every second record has waited for its user for half an hour."""
    from wardkeeper.processing.sla.models import ClockEvent

    for record in records[::2]:
        for clock in CLOCKS:
            for sequence, kind, minutes in ((2, "pause", 10), (3, "resume", 40)):
                yield ClockEvent(
                    record=record, clock=clock, sequence=sequence, kind=kind,
                    at=record.opened_at + timedelta(minutes=minutes), reason="user",
                )  # fmt: skip


def _recompute(hospital: int, count: int) -> float:
    from wardkeeper.processing.sla import services
    from wardkeeper.registry.calendars.models import Calendar
    from wardkeeper.registry.calendars.services import take_over

    calendar = Calendar.objects.get(hospital=hospital)
    for year in (2025, 2026):
        take_over(calendar, country="cn", year=year)
    began_s = time.perf_counter()
    done = services.rebuild_open(calendar="service-hours", hospital=hospital)
    spent_s = time.perf_counter() - began_s
    if done != count:
        raise RuntimeError(f"{done} of {count} records were recomputed")
    return spent_s


def _compute(count: int) -> float:
    from wardkeeper.processing.sla.course import Course, settle
    from wardkeeper.processing.sla.policy import DEFAULT, Goal
    from wardkeeper.registry.calendars.builtin import SERVICE_HOURS, builtin
    from wardkeeper.registry.calendars.deadline import Pause

    calendar = builtin(SERVICE_HOURS, "Asia/Shanghai")
    if calendar is None:
        raise RuntimeError("there is no built-in calendar of service hours")
    now = timezone.now()
    courses = []
    for at in range(count):
        opened_at = _opened_at(now, at, count)
        pauses = (
            [Pause(opened_at + timedelta(minutes=10), opened_at + timedelta(minutes=40))] if at % 2 else []
        )
        courses += [
            Course(opened_at, Goal(DEFAULT["3"][clock], SERVICE_HOURS, "bench"), pauses=pauses)
            for clock in CLOCKS
        ]
    began_s = time.perf_counter()
    for course in courses:
        settle(course, calendar)
    return time.perf_counter() - began_s


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]))))
