"""What the clocks of a record say, and which fall due next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from wardkeeper.ledger import queries as ledger
from wardkeeper.ledger.models import Record
from wardkeeper.messages.sentence import Moment, Sentence
from wardkeeper.processing.sla.course import Course, Event, course_of, from_json, used_s
from wardkeeper.processing.sla.models import Clock, ClockEvent, Policy
from wardkeeper.processing.sla.policy import BUILTIN, PolicyData
from wardkeeper.processing.sla.workflow import ClockName, EventKind
from wardkeeper.registry.calendars import wording
from wardkeeper.registry.calendars.clock import ServiceCalendar
from wardkeeper.registry.calendars.deadline import deadline
from wardkeeper.registry.calendars.explanation import explain
from wardkeeper.registry.calendars.queries import calendar_for
from wardkeeper.registry.people.scope import Scope

TITLES = {
    ClockName.ACCEPT: _("Accept"),
    ClockName.RESTORE: _("Restore"),
    ClockName.RESOLVE: _("Resolve"),
}
_PAUSED_FOR = {
    "user": _("It waits for the user."),
    "agreed_date": _("It waits for the agreed date."),
}
_SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """One clock as a page shows it, its texts in the active language.

    state        running, paused, met, breached, cancelled
    due_at       None while paused
    used_share   of the target, 0 and more; above 1 it is overdue
    left_s       service time left; negative: over
    explanation  why it is due then, one sentence each
    """

    clock: str
    title: str
    state: str
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    target_s: float
    target: str
    used_share: float
    left_s: float
    paused_s: float
    is_overdue: bool
    warned_percent: int
    explanation: tuple[str, ...]


def clocks_of(record: Record, now: datetime | None = None) -> list[ClockView]:
    """The measured clocks of a record in their usual order, with the reasons for each deadline.

    The reader's right to see the record is the caller's to check.
    """
    now = now or timezone.now()
    rows = {row.clock: row for row in Clock.objects.filter(record=record)}
    found = replayed([record.pk])
    views = []
    for name in ClockName:
        row, clock = rows.get(name), found.get((record.pk, name))
        if row is not None and clock is not None and row.target_s is not None:
            calendar = calendar_for(row.calendar, row.hospital_id)
            views.append(_view(row, clock.course, calendar, now))
    return views


def _view(row: Clock, course: Course, calendar: ServiceCalendar, now: datetime) -> ClockView:
    used = used_s(course, calendar, now)
    target_s = row.target_s or 0
    overdue_at = row.stopped_at or now
    return ClockView(
        clock=row.clock,
        title=gettext(TITLES[ClockName(row.clock)]),
        state=row.state,
        started_at=row.started_at,
        due_at=row.due_at,
        stopped_at=row.stopped_at,
        target_s=target_s,
        target=wording.span(round(target_s)),
        used_share=used / target_s if target_s else 1.0,
        left_s=target_s - used,
        paused_s=row.paused_s,
        is_overdue=row.state != "cancelled" and row.due_at is not None and row.due_at < overdue_at,
        warned_percent=row.warned_percent,
        explanation=tuple(wording.say(sentence) for sentence in _reasons(course, calendar)),
    )


def _reasons(course: Course, calendar: ServiceCalendar) -> list[Sentence]:
    target = course.goal.as_target
    if target is None:
        return []
    result = deadline(calendar, course.started_at, target, course.all_pauses)
    sentences = explain(calendar, course.started_at, target, course.all_pauses, result)
    if course.retargeted_at is not None:
        at = Moment(course.retargeted_at.astimezone(calendar.zone), dated=True)
        text = _("The target was changed %(at)s; start and pauses were kept.")
        sentences.insert(1, Sentence(text, {"at": at}))
    if course.pause_reason in _PAUSED_FOR:
        sentences.append(Sentence(_PAUSED_FOR[course.pause_reason]))
    return sentences


@dataclass(frozen=True, slots=True)
class Replayed:
    """A clock as its events have it, and how many there are."""

    course: Course
    events: int


def replayed(record_ids: Iterable[int]) -> dict[tuple[int, str], Replayed]:
    """Every clock of these records; keys are (record, clock)."""
    found: dict[tuple[int, str], list[Event]] = {}
    rows = (
        ClockEvent.objects.filter(record__in=list(record_ids))
        .order_by("record", "clock", "sequence")
        .values_list("record", "clock", "kind", "at", "reason", "goal", "percent")
    )
    for record, clock, kind, at, reason, goal, percent in rows:
        event = Event(EventKind(kind), at, reason, from_json(goal) if goal else None, percent)
        found.setdefault((record, clock), []).append(event)
    courses = {key: (course_of(events), len(events)) for key, events in found.items()}
    return {key: Replayed(course, n) for key, (course, n) in courses.items() if course is not None}


def policy_for(kind: str, hospital: int | None) -> PolicyData:
    """The newest targets of the hospital, else everyone's, else the built-in ones."""
    rows = Policy.objects.filter(Q(hospital=hospital) | Q(hospital=None), kind=kind)
    row = rows.order_by(F("hospital").asc(nulls_last=True), "-version").first()
    if row is None:
        return BUILTIN
    return PolicyData(f"{row.hospital_id or 'all'}/{row.version}", row.targets)


def due_soon(
    scope: Scope, *, within: timedelta = _SOON, now: datetime | None = None, most: int = 50
) -> list[Clock]:
    """Running clocks that are over, or will be `within` that time; the most pressing first.

    Each with its record. Only of records that the reader may see.
    """
    until = (now or timezone.now()) + within
    return list(
        Clock.objects.filter(record__in=ledger.visible(scope), state="running", due_at__lt=until)
        .select_related("record", "record__place", "record__team", "record__assignee")
        .order_by("due_at", "pk")[:most]
    )


def attainment(
    scope: Scope, *, kind: str, since: datetime, until: datetime
) -> Mapping[tuple[int, str], tuple[int, int]]:
    """{(priority, clock): (within target, of all)} of the clocks that fell due in the half-open period.

    One that still runs past its deadline counts as missed in the period in which it fell due.
    """
    rows = Clock.objects.filter(
        record__in=ledger.visible(scope),
        record__kind=kind,
        due_at__gte=since,
        due_at__lt=min(until, timezone.now()),
        state__in=("met", "breached", "running"),
    ).values_list("record__priority", "clock", "state")
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for priority, clock, state in rows.iterator():
        met, all_ = found.get((priority, clock), (0, 0))
        found[priority, clock] = (met + (state == "met"), all_ + 1)
    return found
