"""The only writers of clocks.

Messages are a nudge only: what happened is read from the record's journal, from the entry
after the last one that was followed. So it does not matter how often or in what order
messages come. Locks are taken in this order: meters, clocks, records, each by id.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from procrastinate.contrib.django import app

from wardkeeper.bus.outbox import announce
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.messages import ClockWarned
from wardkeeper.messages.sentence import InvalidField, gettext_noop
from wardkeeper.processing.sla import policy, queries, warning
from wardkeeper.processing.sla.course import Course, Event, Settled, as_json, passed_share, settle
from wardkeeper.processing.sla.models import Clock, ClockEvent, Meter, Policy
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
from wardkeeper.registry.people.models import Person
from wardkeeper.registry.places.models import Place

_log = logging.getLogger(__name__)

_FOLLOWED = ("opened", "moved", "priority")
_LIVE = (Running.RUNNING, Running.PAUSED)
CHUNK = 500
"""Records recomputed in one transaction."""


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
class _Sheet:
    """One record's clocks while they are worked on; `added` is what is new in its events."""

    record: Record
    meter: Meter
    targets: policy.PolicyData
    calendars: "_Calendars"
    courses: dict[ClockName, Course] = field(default_factory=dict)
    counts: dict[ClockName, int] = field(default_factory=dict)
    added: list[ClockEvent] = field(default_factory=list)

    def goal(self, clock: ClockName) -> policy.Goal:
        return self.targets.goal(clock, priority=self.meter.priority, area_class=self.meter.area_class)

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


@transaction.atomic
def follow(record_ids: Iterable[int]) -> None:
    """Brings the clocks of these records up to their journals. Records of other practices are left alone."""
    _write(_followed(record_ids))


@transaction.atomic
def rebuild(record_ids: Iterable[int]) -> None:
    """Computes the cached rows anew from the events: after a calendar changed, or if they were lost."""
    _write(_sheets(record_ids))


def rebuild_open(*, calendar: str = "", hospital: int | None = None) -> int:
    """Computes every running or paused clock anew, if named only those on a calendar or of a hospital.

    Returns how many records were recomputed. Works in chunks: it may be stopped and begun again.
    """
    rows = Clock.objects.filter(state__in=_LIVE)
    if calendar:
        rows = rows.filter(calendar=calendar)
    if hospital is not None:
        rows = rows.filter(hospital=hospital)
    done = 0
    for ids in _chunks(rows.order_by("record").values_list("record", flat=True).distinct()):
        rebuild(ids)
        done += len(ids)
    return done


def recompute_later(calendar: str, hospital: int | None) -> None:
    """Has a job rebuild the clocks on a calendar: there may be too many for a handler."""
    app.configure_task("sla.rebuild").defer(calendar=calendar, hospital=hospital)


@transaction.atomic
def save_policy(
    targets: Mapping[str, Mapping[str, object]], *, kind: str, hospital: Place | None, made_by: Person | None
) -> Policy:
    """A new version of the targets. Open clocks are re-targeted by a job; their start and pauses stay.

    Raises InvalidField.
    """
    policy.check(targets)
    for priority, row in targets.items():
        for name in ("calendar", "wards_calendar"):
            try:
                calendar_for(str(row.get(name, row["calendar"])), hospital.pk if hospital else None)
            except CalendarNotFound:
                raise InvalidField(
                    f"targets.{priority}.{name}", gettext_noop("names a calendar that does not exist")
                ) from None
    newest = Policy.objects.filter(hospital=hospital, kind=kind).aggregate(at=Max("version"))["at"] or 0
    made = Policy.objects.create(
        hospital=hospital,
        kind=kind,
        version=newest + 1,
        targets=dict(targets),
        made_at=timezone.now(),
        made_by=made_by,
    )
    app.configure_task("sla.retarget").defer(kind=kind, hospital=hospital.pk if hospital else None)
    return made


def retarget_open(*, kind: str, hospital: int | None, at: datetime | None = None) -> int:
    """Gives every live clock the target that is in force now. Returns how many records were looked at."""
    rows = Clock.objects.filter(state__in=_LIVE, record__kind=kind)
    if hospital is not None:
        rows = rows.filter(hospital=hospital)
    done = 0
    for ids in _chunks(rows.order_by("record").values_list("record", flat=True).distinct()):
        with transaction.atomic():
            sheets = _followed(ids)
            for sheet in sheets:
                for clock in _live(sheet):
                    sheet.retarget(clock, at or timezone.now())
            _write(sheets)
        done += len(ids)
    return done


@transaction.atomic
def warn_due(now: datetime | None = None, *, most: int = CHUNK) -> int:
    """Tells of every clock that has used up a further share of its target; returns how many were told.

    If several shares were passed since the last look, only the highest is told: that half of
    the time is used is no news when all of it is.
    """
    now = now or timezone.now()
    due = Clock.objects.filter(state=Running.RUNNING, next_warning_at__lte=now)
    ids = list(due.order_by("next_warning_at").values_list("record", flat=True)[:most])
    # A record that is being worked on at this moment is left to the next look.
    sheets = _followed(set(ids), skip_locked=True)
    told = []
    for sheet in sheets:
        for clock in _live(sheet):
            percent = _news(sheet, clock, now)
            if percent is not None:
                sheet.add(clock, Event(EventKind.WARN, now, percent=percent))
                told.append((sheet.record, clock, _settled(sheet, clock)))
    _write(sheets)
    for record, clock, settled in told:
        _tell(record, clock, settled)
    return len(told)


def _news(sheet: _Sheet, clock: ClockName, now: datetime) -> int | None:
    """The highest share that is used up and has not been told."""
    settled, calendar = _settled(sheet, clock), sheet.calendar(clock)
    if calendar is None or settled.next_warning_at is None or settled.next_warning_at > now:
        return None
    return passed_share(sheet.courses[clock], calendar, now)


def _tell(record: Record, clock: ClockName, settled: Settled) -> None:
    if settled.due_at is None:
        return
    note, params = warning.line(clock, settled.warned_percent, settled.due_at)
    ledger.remark(record.pk, kind="clock", note=note, params=params)
    announce(
        ClockWarned(
            record=record.pk,
            number=record.number,
            hospital=record.hospital_id,
            place_path=record.place_path,
            clock=clock.value,
            percent=settled.warned_percent,
            due_at=settled.due_at,
        )
    )


def _live(sheet: _Sheet) -> list[ClockName]:
    return [clock for clock, course in sheet.courses.items() if course.running in _LIVE]


def _followed(record_ids: Iterable[int], *, skip_locked: bool = False) -> list[_Sheet]:
    """The clocks of these records, locked, with all that their journals say by now."""
    sheets = _sheets(record_ids, skip_locked=skip_locked)
    lines: dict[int, list[Entry]] = defaultdict(list)
    behind = [sheet.record.pk for sheet in sheets if sheet.meter.sequence < sheet.record.entry_count]
    rows = Entry.objects.filter(record__in=behind, kind__in=_FOLLOWED).order_by("record", "sequence")
    for entry in rows.only("record", "sequence", "kind", "at", "before", "after", "changes"):
        lines[entry.record_id].append(entry)
    for sheet in sheets:
        _follow_journal(sheet, lines[sheet.record.pk])
    return sheets


def _sheets(record_ids: Iterable[int], *, skip_locked: bool = False) -> list[_Sheet]:
    wanted = Record.objects.filter(pk__in=list(record_ids), kind__in=PRACTICES)
    ids = sorted(wanted.values_list("pk", flat=True))
    Meter.objects.bulk_create([Meter(record_id=pk) for pk in ids], ignore_conflicts=True)
    locked = Meter.objects.select_for_update(skip_locked=skip_locked)
    meters = {meter.record_id: meter for meter in locked.filter(record__in=ids).order_by("record")}
    # Read after the lock: whoever held it may have followed what we were called for.
    records = Record.objects.select_related("place").in_bulk(meters)
    targets: dict[tuple[str, int], policy.PolicyData] = {}
    calendars = _Calendars()
    sheets = {}
    for pk, meter in meters.items():
        record = records[pk]
        key = (record.kind, record.hospital_id)
        if key not in targets:
            targets[key] = queries.policy_for(*key)
        sheets[pk] = _Sheet(record, meter, targets[key], calendars)
    for (pk, clock), replayed in queries.replayed(meters).items():
        sheets[pk].counts[ClockName(clock)] = replayed.events
        sheets[pk].courses[ClockName(clock)] = replayed.course
    return list(sheets.values())


def _follow_journal(sheet: _Sheet, entries: Sequence[Entry]) -> None:
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
                for clock in _live(sheet):
                    sheet.retarget(clock, entry.at, entry=entry.sequence)
    meter.sequence = record.entry_count


def _follow_move(sheet: _Sheet, entry: Entry) -> None:
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


def _settled(sheet: _Sheet, clock: ClockName) -> Settled:
    """A clock that cannot be computed stands without a deadline: no other clock suffers from it."""
    course, calendar = sheet.courses[clock], sheet.calendar(clock)
    if calendar is None:
        return Settled(course.running.value)
    try:
        return settle(course, calendar)
    except (NoServiceTime, BeyondHorizon) as error:
        _log.warning("sla.not_computable", extra={"record": sheet.record.pk, "why": str(error)})
        return Settled(course.running.value)


def _write(sheets: Sequence[_Sheet]) -> None:
    ClockEvent.objects.bulk_create([event for sheet in sheets for event in sheet.added])
    Meter.objects.bulk_update(
        [sheet.meter for sheet in sheets], ["sequence", "priority", "area_class", "pending_reason"]
    )
    rows = [_row(sheet, clock) for sheet in sheets for clock in sorted(sheet.courses)]
    Clock.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["record", "clock"],
        update_fields=[
            "state", "calendar", "policy", "started_at", "stopped_at", "due_at", "target_s", "paused_s",
            "warned_percent", "next_percent", "next_warning_at",
        ],
    )  # fmt: skip
    next_due: dict[int, tuple[datetime, str]] = {}
    for row in rows:
        if row.state == Running.RUNNING and row.due_at is not None:
            known = next_due.get(row.record_id)
            next_due[row.record_id] = (
                min(known, (row.due_at, row.clock)) if known else (row.due_at, row.clock)
            )
    dues = [ledger.Due(sheet.record.pk, *next_due.get(sheet.record.pk, (None, ""))) for sheet in sheets]
    known_dues = ((sheet.record.due_at, sheet.record.due_clock) for sheet in sheets)
    ledger.set_dues([due for due, old in zip(dues, known_dues, strict=True) if due[1:] != old])


def _row(sheet: _Sheet, clock: ClockName) -> Clock:
    course, record, settled = sheet.courses[clock], sheet.record, _settled(sheet, clock)
    return Clock(
        record=record,
        clock=clock.value,
        hospital_id=record.hospital_id,
        state=settled.state,
        calendar=course.goal.calendar,
        policy=course.goal.policy,
        started_at=course.started_at,
        stopped_at=course.stopped_at,
        due_at=settled.due_at,
        target_s=settled.target_s,
        paused_s=settled.paused_s,
        warned_percent=settled.warned_percent,
        next_percent=settled.next_percent,
        next_warning_at=settled.next_warning_at,
    )


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for record_id in ids:
        chunk.append(record_id)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
