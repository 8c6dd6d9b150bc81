"""The clocks of some records while they are worked on: locked, brought up to their journals, written back.

Messages are a nudge only: what happened is read from the record's journal, from the entry
after the last one that was followed. So it does not matter how often or in what order
messages come. Whoever changes clocks locks their meters first, then records, each by id.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.processing.sla import policy, queries
from wardkeeper.processing.sla.course import Course, Event, Settled, as_json, settle
from wardkeeper.processing.sla.models import ClockEvent, Meter
from wardkeeper.processing.sla.workflow import (
    PRACTICES,
    REOPENED,
    ClockName,
    EventKind,
    Running,
    Step,
    effect,
)
from wardkeeper.registry.calendars.clock import BeyondHorizon, NoServiceTime, ServiceCalendar
from wardkeeper.registry.calendars.queries import CalendarNotFound, calendar_for

_log = logging.getLogger(__name__)

_FOLLOWED = ("opened", "moved", "priority")
LIVE = (Running.RUNNING, Running.PAUSED)
_COLUMNS = (
    "kind", "number", "hospital", "place_path", "priority", "priority_input", "opened_at", "entry_count",
    "due_at", "due_clock", "place__area_class",
)  # fmt: skip


class _Calendars(dict[tuple[str, int], ServiceCalendar | None]):
    """By code and hospital, each looked up once for a batch. None, and a line in the log, for one that is gone."""

    def __missing__(self, key: tuple[str, int]) -> ServiceCalendar | None:
        code, hospital = key
        try:
            found: ServiceCalendar | None = calendar_for(code, hospital)
        except CalendarNotFound:
            _log.warning("sla.no_calendar", extra={"hospital": hospital, "calendar": code})
            found = None
        self[key] = found
        return found


@dataclass(slots=True)
class Sheet:
    """One record's clocks while they are worked on; `added` is what is new in its events."""

    record: Record
    meter: Meter
    targets: policy.PolicyData
    calendars: "_Calendars"
    courses: dict[ClockName, Course] = field(default_factory=dict)
    counts: dict[ClockName, int] = field(default_factory=dict)
    added: list[ClockEvent] = field(default_factory=list)
    has_followed: bool = False

    def goal(self, clock: ClockName) -> policy.Goal:
        return self.targets.goal(clock, priority=self.meter.priority, area_class=self.meter.area_class)

    @property
    def live(self) -> list[ClockName]:
        """Clocks that run or are paused."""
        return [clock for clock, course in self.courses.items() if course.running in LIVE]

    def calendar(self, clock: ClockName) -> ServiceCalendar | None:
        return self.calendars[self.courses[clock].goal.calendar, self.record.hospital_id]

    def add(self, clock: ClockName, event: Event, *, entry: int | None = None) -> None:
        course = self.courses.get(clock)
        if course is not None:
            course.take(event)
        elif event.goal is not None:
            self.courses[clock] = Course(event.at, event.goal)
        self.counts[clock] = self.counts.get(clock, 0) + 1
        self.added.append(
            ClockEvent(
                record=self.record,
                clock=clock.value,
                sequence=self.counts[clock],
                kind=event.kind.value,
                at=event.at,
                reason=event.reason,
                goal=as_json(event.goal) if event.goal else None,
                percent=event.percent,
                entry=entry,
            )
        )

    def retarget(self, clock: ClockName, at: datetime, *, entry: int | None = None) -> None:
        """Start and pauses stay; only how long it may take, and on which calendar, is different."""
        old, new = self.courses[clock].goal, self.goal(clock)
        if (old.target, old.calendar) != (new.target, new.calendar):
            self.add(clock, Event(EventKind.RETARGET, at, goal=new), entry=entry)


def followed(record_ids: Iterable[int], *, skip_locked: bool = False) -> list[Sheet]:
    """The clocks of these records, locked, with all that their journals say by now."""
    sheets = sheets_of(record_ids, skip_locked=skip_locked)
    lines: dict[int, list[Entry]] = defaultdict(list)
    behind = [sheet.record.pk for sheet in sheets if sheet.meter.sequence < sheet.record.entry_count]
    rows = Entry.objects.filter(record__in=behind, kind__in=_FOLLOWED).order_by("record", "sequence")
    for entry in rows.only("record", "sequence", "kind", "at", "before", "after", "changes"):
        lines[entry.record_id].append(entry)
    for sheet in sheets:
        if sheet.meter.sequence < sheet.record.entry_count or not sheet.courses:
            _follow_journal(sheet, lines[sheet.record.pk])
    return sheets


def sheets_of(record_ids: Iterable[int], *, skip_locked: bool = False) -> list[Sheet]:
    wanted = Record.objects.filter(pk__in=list(record_ids), kind__in=PRACTICES)
    ids = sorted(wanted.values_list("pk", flat=True))
    Meter.objects.bulk_create([Meter(record_id=pk) for pk in ids], ignore_conflicts=True)
    locked = Meter.objects.select_for_update(skip_locked=skip_locked)
    meters = {meter.record_id: meter for meter in locked.filter(record__in=ids).order_by("record")}
    # Read after the lock: whoever held it may have followed what we were called for.
    records = Record.objects.select_related("place").only(*_COLUMNS).in_bulk(meters)
    targets: dict[tuple[str, int], policy.PolicyData] = {}
    calendars = _Calendars()
    sheets = {}
    for pk, meter in meters.items():
        record = records[pk]
        key = (record.kind, record.hospital_id)
        if key not in targets:
            targets[key] = queries.policy_for(*key)
        sheets[pk] = Sheet(record, meter, targets[key], calendars)
    for (pk, clock), replayed in queries.replayed(meters).items():
        sheets[pk].counts[ClockName(clock)] = replayed.events
        sheets[pk].courses[ClockName(clock)] = replayed.course
    return list(sheets.values())


def _follow_journal(sheet: Sheet, entries: Sequence[Entry]) -> None:
    record, meter = sheet.record, sheet.meter
    meter.area_class = record.priority_input.get("area_class") or record.place.area_class
    if not sheet.courses:
        meter.priority = _first_priority(record, entries)
        for clock in PRACTICES[record.kind].clocks:
            sheet.add(clock, Event(EventKind.START, record.opened_at, goal=sheet.goal(clock)), entry=1)
    for entry in entries:
        if entry.sequence > meter.sequence:
            if entry.kind == "moved":
                _follow_move(sheet, entry)
            elif entry.kind == "priority" and "priority" in entry.changes:
                meter.priority = _level(entry.changes["priority"][1])
                for clock in sheet.live:
                    sheet.retarget(clock, entry.at, entry=entry.sequence)
    meter.sequence, sheet.has_followed = record.entry_count, True


def _follow_move(sheet: Sheet, entry: Entry) -> None:
    practice = PRACTICES[sheet.record.kind]
    # The journal names an answer only when it differs from the last time.
    if "pending_reason" in entry.changes:
        sheet.meter.pending_reason = entry.changes["pending_reason"][1] or ""
    step = Step(entry.before, entry.after, sheet.meter.pending_reason)
    for clock, course in sheet.courses.items():
        happened = effect(practice, clock, course.running, step)
        if happened is not None:
            kind, reason = happened
            sheet.add(clock, Event(kind, entry.at, reason), entry=entry.sequence)
            if reason == REOPENED:
                sheet.retarget(clock, entry.at, entry=entry.sequence)


def _first_priority(record: Record, entries: Iterable[Entry]) -> int:
    """What the record was opened with: the journal names it only once it has changed."""
    for entry in entries:
        if entry.kind == "priority" and "priority" in entry.changes:
            return _level(entry.changes["priority"][0])
    return record.priority


def _level(code: str) -> int:
    return int(code.removeprefix("P"))


def settled(sheet: Sheet, clock: ClockName) -> Settled:
    """A clock that cannot be computed stands without a deadline: no other clock suffers from it."""
    course, calendar = sheet.courses[clock], sheet.calendar(clock)
    if calendar is None:
        return Settled(course.running.value)
    try:
        return settle(course, calendar)
    except (NoServiceTime, BeyondHorizon) as error:
        _log.warning("sla.not_computable", extra={"record": sheet.record.pk, "why": str(error)})
        return Settled(course.running.value)


_STORE = """
INSERT INTO sla_clock (
    record_id, clock, hospital_id, state, calendar, policy, started_at, stopped_at, due_at, target_s, paused_s,
    warned_percent, next_percent, next_warning_at
)
SELECT * FROM unnest(
    %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
    %s::timestamptz[], %s::timestamptz[], %s::float8[], %s::float8[], %s::smallint[], %s::smallint[],
    %s::timestamptz[]
)
ON CONFLICT (record_id, clock) DO UPDATE SET
    state = excluded.state, calendar = excluded.calendar, policy = excluded.policy,
    started_at = excluded.started_at, stopped_at = excluded.stopped_at, due_at = excluded.due_at,
    target_s = excluded.target_s, paused_s = excluded.paused_s, warned_percent = excluded.warned_percent,
    next_percent = excluded.next_percent, next_warning_at = excluded.next_warning_at
"""


def write(sheets: Sequence[Sheet]) -> None:
    """Stores what was added, where every clock stands now, and what is due next on each record."""
    ClockEvent.objects.bulk_create([event for sheet in sheets for event in sheet.added])
    # Not bulk_update: its CASE of every row and column costs more than all the rest of this function.
    Meter.objects.bulk_create(
        [sheet.meter for sheet in sheets if sheet.has_followed],
        update_conflicts=True,
        unique_fields=["record"],
        update_fields=["sequence", "priority", "area_class", "pending_reason"],
    )
    stood = {
        (sheet.record.pk, clock): settled(sheet, clock) for sheet in sheets for clock in sorted(sheet.courses)
    }
    rows = [
        _row(sheet, clock, stood[sheet.record.pk, clock])
        for sheet in sheets
        for clock in sorted(sheet.courses)
    ]
    if rows:
        # Columns instead of rows: a changed calendar writes 100,000 of them.
        with connection.cursor() as cursor:
            cursor.execute(_STORE, [list(column) for column in zip(*rows, strict=True)])
    _write_dues(sheets, stood)


def _row(sheet: Sheet, clock: ClockName, stands: Settled) -> tuple[object, ...]:
    """In the order of _STORE."""
    course, record = sheet.courses[clock], sheet.record
    return (
        record.pk, clock.value, record.hospital_id, stands.state, course.goal.calendar, course.goal.policy,
        course.started_at, course.stopped_at, stands.due_at, stands.target_s, stands.paused_s,
        stands.warned_percent, stands.next_percent, stands.next_warning_at,
    )  # fmt: skip


def _write_dues(sheets: Sequence[Sheet], stood: Mapping[tuple[int, ClockName], Settled]) -> None:
    dues = []
    for sheet in sheets:
        record = sheet.record
        running = (
            (stands.due_at, clock.value)
            for clock in sheet.courses
            if (stands := stood[record.pk, clock]).state == Running.RUNNING and stands.due_at is not None
        )
        due = ledger.Due(record.pk, *min(running, default=(None, "")))
        if due[1:] != (record.due_at, record.due_clock):
            dues.append(due)
    ledger.set_dues(dues)
