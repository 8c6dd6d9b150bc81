"""When something falls due on a calendar: a target, lengthened by its pauses, warned on the way. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from wardkeeper.registry.calendars.clock import (
    HORIZON_YEARS,
    MINUTE_US,
    BeyondHorizon,
    NoServiceTime,
    ServiceCalendar,
)
from wardkeeper.registry.calendars.timetable import SECOND_US, instant, merged, micros, moment

_HORIZON_US = HORIZON_YEARS * 365 * 86_400 * SECOND_US
_NEVER = 1 << 62
"""End of a pause that has none, later than any instant."""


@dataclass(frozen=True, slots=True)
class Target:
    """How long something may take: `minutes` of service time, or `days` of work.

    end_of_day  with `days`: due at closing time of the last day; 0 days is today's
    """

    minutes: float | None = None
    days: int | None = None
    end_of_day: bool = False

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.days is None):
            raise ValueError("a target has either minutes or days")
        if (self.minutes or 0) < 0 or (self.days or 0) < 0:
            raise ValueError("a target is not negative")
        if self.end_of_day and self.days is None:
            raise ValueError("end_of_day goes with days")


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stood from `begin` up to `end`; without an end it still stands."""

    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class AtPercent:
    """When this share of the target has been used; beyond 100 after the deadline."""

    percent: float


@dataclass(frozen=True, slots=True)
class FromDue:
    """Minutes of service time after the deadline; negative: so much is left. Never before the start."""

    minutes: float


Warn = AtPercent | FromDue


@dataclass(frozen=True, slots=True)
class Deadline:
    """A computed deadline, its times in the calendar's zone.

    due        None while a pause without an end keeps it open
    target_s   service time that the target amounts to
    paused_s   service time inside the pauses that came before `due` (before the open one, if it is open)
    warnings   in the order asked for; None if an open pause comes first
    """

    due: datetime | None
    target_s: float
    paused_s: float
    warnings: tuple[datetime | None, ...]


def working_day(calendar: ServiceCalendar, at: int, days: int, *, end_of_day: bool) -> int:
    """The instant `days` working days after `at`, at the same time of day or at closing time.

    The day of the start is not counted, whatever the hour (Civil Code of China, art. 201;
    art. 203 ends the last day at close of business). What is kept of a start outside
    service hours: after closing, closing time; before opening, opening; within a break,
    its beginning; on a day off, closing time, since whoever asks on Saturday must not be
    served earlier than whoever asked on Friday evening.
    Raises NoServiceTime, BeyondHorizon.
    """
    if calendar.never_opens():
        raise NoServiceTime("the calendar has no service time at all")
    begin_day = _service_day(calendar, at)
    if not days and not end_of_day:
        return at
    day, left = begin_day, days
    while left:
        day = _next_working_day(calendar, day, begin_day)
        left -= 1
    if not days and not any(closes >= at for _, closes in calendar.intervals_of(day)[-1:]):
        day = _next_working_day(calendar, day, begin_day)
    intervals = calendar.intervals_of(day)
    if end_of_day or not calendar.intervals_of(begin_day):
        return intervals[-1][1]
    wanted = instant(calendar.zone, day, _seconds_into(calendar, begin_day, at)) + at % SECOND_US
    due = intervals[0][0]
    for opens, closes in intervals:
        if opens <= wanted:
            due = min(wanted, closes)
    return due


def _seconds_into(calendar: ServiceCalendar, day: date, at: int) -> int:
    """What the wall clock shows at `at`, in seconds since midnight of `day` (next day: 86,400 and more)."""
    local = moment(at, calendar.zone).replace(tzinfo=None)
    return (local - datetime.combine(day, time())) // timedelta(seconds=1)


def _next_working_day(calendar: ServiceCalendar, day: date, begin_day: date) -> date:
    limit = begin_day + timedelta(days=366 * HORIZON_YEARS)
    day += timedelta(days=1)
    while not calendar.intervals_of(day):
        if day > limit:
            raise BeyondHorizon(f"the calendar runs out of working days within {HORIZON_YEARS} years")
        day += timedelta(days=1)
    return day


def _service_day(calendar: ServiceCalendar, at: int) -> date:
    """The day whose service is on at `at`, else has just closed; outside service hours the date itself."""
    local = moment(at, calendar.zone).date()
    eve = local - timedelta(days=1)
    shifts = [(day, opens, closes) for day in (local, eve) for opens, closes in calendar.intervals_of(day)]
    for day, opens, closes in shifts:
        if opens <= at < closes:
            return day
    return next((day for day, _, closes in shifts if at == closes), local)


def deadline(
    calendar: ServiceCalendar,
    start: datetime,
    target: Target,
    pauses: Iterable[Pause] = (),
    warnings: Sequence[Warn] = (),
) -> Deadline:
    """When `target`, begun at `start`, is due.

    pauses  in any order, may overlap and stick out; what lies before the start does not count
    Raises NoServiceTime, BeyondHorizon.
    """
    at, zone = micros(start), calendar.zone
    if target.minutes is not None:
        net, unpaused = round(target.minutes * MINUTE_US), None
    else:
        unpaused = working_day(calendar, at, target.days or 0, end_of_day=target.end_of_day)
        net = _served(calendar, at, unpaused)
    stops = _stops(calendar, at, pauses)
    reached, paused = _with_pauses(net, stops)
    if reached is None:
        due = None
    elif unpaused is not None and not paused:
        due = unpaused
    else:
        due = calendar.after(at, reached)
    return Deadline(
        due=None if due is None else moment(due, zone),
        target_s=net / SECOND_US,
        paused_s=paused / SECOND_US,
        warnings=tuple(
            None if found is None else moment(found, zone)
            for found in (
                _warned(warn, calendar=calendar, at=at, net=net, due=due, stops=stops) for warn in warnings
            )
        ),
    )


def _served(calendar: ServiceCalendar, begin: int, end: int) -> int:
    table = calendar.table(moment(begin, calendar.zone).year, moment(end, calendar.zone).year)
    return table.served(end) - table.served(begin)


def _stops(calendar: ServiceCalendar, at: int, pauses: Iterable[Pause]) -> list[tuple[int, int]]:
    """The pauses as stretches of service time since `at`, sorted and joined."""
    limit = at + _HORIZON_US
    stops = []
    for pause in pauses:
        begin = max(at, micros(pause.begin))
        end = _NEVER if pause.end is None else min(limit, micros(pause.end))
        if begin < min(end, limit):
            stop = _NEVER if end == _NEVER else _served(calendar, at, end)
            stops.append((_served(calendar, at, begin), stop))
    return merged(stops)


def _with_pauses(net: int, stops: list[tuple[int, int]]) -> tuple[int | None, int]:
    """How far service time has come when `net` of it has been used, and how much of it was paused.

    A pause that begins at the very instant of the deadline no longer lengthens it.
    """
    reached = net
    for begin, end in stops:
        if begin >= reached:
            break
        if end == _NEVER:
            return None, reached - net
        reached += end - begin
    return reached, reached - net


def _warned(
    warn: Warn, *, calendar: ServiceCalendar, at: int, net: int, due: int | None, stops: list[tuple[int, int]]
) -> int | None:
    wanted = net * warn.percent / 100 if isinstance(warn, AtPercent) else net + warn.minutes * MINUTE_US
    used = max(0, round(wanted))
    if used == net:
        return due
    reached, _ = _with_pauses(used, stops)
    return None if reached is None else calendar.after(at, reached)
