"""What the events of a clock amount to. Pure: the cached rows can always be computed again from here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wardkeeper.processing.sla.policy import WARNED_AT, Goal
from wardkeeper.processing.sla.workflow import CANCELLED, EventKind, Running
from wardkeeper.registry.calendars.clock import ServiceCalendar
from wardkeeper.registry.calendars.deadline import AtPercent, Pause, deadline

_SHARES = tuple(AtPercent(percent) for percent in WARNED_AT)


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about a clock. `goal` with start and retarget; `percent` with warn."""

    kind: EventKind
    at: datetime
    reason: str = ""
    goal: Goal | None = None
    percent: int = 0


@dataclass(slots=True)
class Course:
    """A clock after some of its events.

    pauses        closed ones; while the clock was stopped before a reopening it stood, too
    paused_since  the open pause, with its reason
    warned        (per cent, when) in order
    """

    started_at: datetime
    goal: Goal
    running: Running = Running.RUNNING
    stopped_at: datetime | None = None
    retargeted_at: datetime | None = None
    paused_since: datetime | None = None
    pause_reason: str = ""
    pauses: list[Pause] = field(default_factory=list)
    warned: list[tuple[int, datetime]] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """One more event. What the clock's state does not allow changes nothing."""
        match event.kind, self.running:
            case EventKind.PAUSE, Running.RUNNING:
                self.running, self.paused_since = Running.PAUSED, event.at
                self.pause_reason = event.reason
            case EventKind.RESUME, Running.PAUSED:
                self._end_pause(event.at)
                self.running = Running.RUNNING
            case EventKind.RESUME, Running.STOPPED if self.stopped_at is not None:
                self.pauses.append(Pause(self.stopped_at, event.at))
                self.running, self.stopped_at = Running.RUNNING, None
            case EventKind.STOP, Running.RUNNING | Running.PAUSED:
                self._end_pause(event.at)
                self.running = Running.CANCELLED if event.reason == CANCELLED else Running.STOPPED
                self.stopped_at = event.at
            case EventKind.RETARGET, _ if event.goal is not None:
                self.goal, self.retargeted_at = event.goal, event.at
            case EventKind.WARN, _:
                self.warned.append((event.percent, event.at))

    def _end_pause(self, at: datetime) -> None:
        if self.paused_since is not None:
            self.pauses.append(Pause(self.paused_since, at))
            self.paused_since, self.pause_reason = None, ""

    @property
    def all_pauses(self) -> list[Pause]:
        return [*self.pauses, Pause(self.paused_since)] if self.paused_since else self.pauses


def course_of(events: Iterable[Event]) -> Course | None:
    """Replays a clock. None if it never started."""
    course: Course | None = None
    for event in events:
        if course is not None:
            course.take(event)
        elif event.kind is EventKind.START and event.goal is not None:
            course = Course(event.at, event.goal)
    return course


@dataclass(frozen=True, slots=True)
class Settled:
    """What is kept of a clock so that lists need not compute.

    state            running, paused, met, breached (stopped late), stopped (not measured), cancelled
    due_at           None: paused, or not measured
    warned_percent   the highest share that somebody has been told of, for the present target
    next_percent     the next share to tell of, reached at `next_warning_at` if nothing happens
    """

    state: str
    due_at: datetime | None = None
    target_s: float | None = None
    paused_s: float = 0.0
    warned_percent: int = 0
    next_percent: int | None = None
    next_warning_at: datetime | None = None


def settle(course: Course, calendar: ServiceCalendar) -> Settled:
    """Computes the deadline of a clock. Raises NoServiceTime, BeyondHorizon."""
    target = course.goal.as_target
    if target is None:
        return Settled(course.running.value)
    result = deadline(calendar, course.started_at, target, course.all_pauses, _SHARES)
    reached: dict[int, datetime | None] = dict(zip(WARNED_AT, result.warnings, strict=True))
    warned = _warned(course, reached)
    state, percent = course.running.value, None
    if course.running is Running.STOPPED and course.stopped_at is not None and result.due is not None:
        state = "met" if course.stopped_at <= result.due else "breached"
    elif course.running is Running.RUNNING:
        percent = next((share for share in WARNED_AT if share > warned), None)
    return Settled(
        state=state,
        due_at=result.due,
        target_s=result.target_s,
        paused_s=result.paused_s,
        warned_percent=warned,
        next_percent=percent,
        next_warning_at=None if percent is None else reached[percent],
    )


def _warned(course: Course, reached: Mapping[int, datetime | None]) -> int:
    """What was told about an earlier target counts only as far as the present one had got by then."""
    changed_at = course.retargeted_at
    if changed_at is None:
        return max((percent for percent, _ in course.warned), default=0)
    before = max((percent for percent, at in course.warned if at < changed_at), default=0)
    passed = max((share for share, at in reached.items() if at is not None and at <= changed_at), default=0)
    since = max((percent for percent, at in course.warned if at >= changed_at), default=0)
    return max(min(before, passed), since)


def passed_share(course: Course, calendar: ServiceCalendar, now: datetime) -> int | None:
    """The highest share of WARNED_AT that is used up by `now`; None if none is."""
    target = course.goal.as_target
    if target is None or course.running is not Running.RUNNING:
        return None
    result = deadline(calendar, course.started_at, target, course.all_pauses, _SHARES)
    passed = [
        share for share, at in zip(WARNED_AT, result.warnings, strict=True) if at is not None and at <= now
    ]
    return max(passed, default=None)


def used_s(course: Course, calendar: ServiceCalendar, now: datetime) -> float:
    """Service time that the clock has run so far, in seconds."""
    end = course.stopped_at or course.paused_since or now
    spent = calendar.service_seconds(course.started_at, end)
    inside = ((max(p.begin, course.started_at), min(p.end or end, end)) for p in course.pauses)
    return max(
        0.0, spent - sum(calendar.service_seconds(begin, stop) for begin, stop in inside if begin < stop)
    )


def as_json(goal: Goal) -> dict[str, Any]:
    return {"target": goal.target, "calendar": goal.calendar, "policy": goal.policy}


def from_json(data: Mapping[str, Any]) -> Goal:
    return Goal(data["target"], data["calendar"], data["policy"])
