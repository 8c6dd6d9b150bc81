"""Service time: what the calendar of a service makes of minutes, hours and days. Pure.

The conventions, each of which other products decide differently (`docs/why/clocks.md`):

- minutes and hours are service time; a day is a working day and keeps the time of day,
  or the closing time with `end_of_day`;
- a deadline that falls exactly on closing time stays there;
- pauses lengthen a target by the service time inside them;
- a segment may cross midnight and belongs to the day on which it begins;
- a make-up day wins over a holiday and over its weekday.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from wardkeeper.registry.calendars.timetable import (
    DAY_S,
    SECOND_US,
    Interval,
    Timetable,
    instant,
    merged,
    micros,
    moment,
    timetable,
)

MINUTE_US = 60 * SECOND_US
HORIZON_YEARS = 10
"""No deadline is looked for later than this after its start: a calendar may have run out."""


class NoServiceTime(ValueError):
    """The calendar never opens, so nothing can fall due on it."""


class BeyondHorizon(ValueError):
    """The calendar does not offer so much service time within HORIZON_YEARS."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Service from `begin_s` to `end_s`, seconds of the wall clock after midnight of the day it begins on.

    `end_s` beyond 86,400 is on the next day.
    """

    begin_s: int
    end_s: int

    def __post_init__(self) -> None:
        if not 0 <= self.begin_s < DAY_S or not self.begin_s < self.end_s <= self.begin_s + DAY_S:
            raise ValueError(
                f"a segment begins within its day and lasts 24 h at most: {self.begin_s}-{self.end_s}"
            )


Segments = tuple[Segment, ...]


@dataclass(slots=True)
class _Kept:
    """What a calendar has computed so far. A table is replaced as a whole, so that threads may share it."""

    table: tuple[int, int, Timetable] | None = None
    days: dict[date, list[Interval]] = field(default_factory=dict)


_DAYS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class ServiceCalendar:
    """When a service is offered.

    timezone      IANA name
    week          seven days from Monday; each its segments, in any order, overlaps count once
    holidays      days that are closed
    make_up_days  days with hours of their own; they win over `holidays` and `week`
    """

    timezone: str
    week: tuple[Segments, ...]
    holidays: frozenset[date] = frozenset()
    make_up_days: Mapping[date, Segments] = field(default_factory=dict)
    _kept: _Kept = field(default_factory=_Kept, init=False, repr=False, compare=False)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def segments_of(self, day: date) -> Segments:
        special = self.make_up_days.get(day)
        if special is not None:
            return special
        return () if day in self.holidays else self.week[day.weekday()]

    def is_working_day(self, day: date) -> bool:
        """Whether service begins on `day`."""
        return bool(self.segments_of(day))

    def never_opens(self) -> bool:
        return not any(self.week) and not any(self.make_up_days.values())

    def opens(self, at: datetime) -> bool:
        """Whether there is service at `at`; at closing time there is none any more."""
        return self.table(at.year, at.year).is_open(micros(at))

    def service_seconds(self, start: datetime, end: datetime) -> float:
        """Service time from `start` to `end`; negative if `end` is earlier."""
        table = self.table(min(start.year, end.year), max(start.year, end.year))
        return (table.served(micros(end)) - table.served(micros(start))) / SECOND_US

    def add(self, start: datetime, minutes: float) -> datetime:
        """The first instant by which `minutes` of service time have passed since `start`.

        Raises NoServiceTime, BeyondHorizon.
        """
        return moment(self.after(micros(start), round(minutes * MINUTE_US)), self.zone)

    def after(self, at: int, served: int) -> int:
        """The first instant by which `served` microseconds of service have passed since `at`.

        Raises NoServiceTime, BeyondHorizon.
        """
        if served <= 0:
            return at
        if self.never_opens():
            raise NoServiceTime("the calendar has no service time at all")
        year = moment(at, self.zone).year
        # Most deadlines lie in the same year; only a miss pays for a longer table.
        for ahead in (0, 1, 3, HORIZON_YEARS):
            table = self.table(year, year + ahead)
            due = table.reached(table.served(at) + served)
            if due is not None:
                return due
        raise BeyondHorizon(
            f"the calendar has less than {served / SECOND_US / 3600:g} h of service in {HORIZON_YEARS} years"
        )

    def table(self, first_year: int, last_year: int) -> Timetable:
        """A table that is valid at least for these years and the days around them."""
        kept = self._kept.table
        if kept is not None:
            if kept[0] <= first_year and last_year <= kept[1]:
                return kept[2]
            first_year, last_year = min(first_year, kept[0]), max(last_year, kept[1])
        # A UTC instant of new year's eve may lie in the neighbouring local year.
        first, last = date(first_year - 1, 12, 30), date(last_year + 1, 1, 2)
        table = timetable(self.zone, first, last, self._wall_segments)
        self._kept.table = (first_year, last_year, table)
        return table

    def _wall_segments(self, day: date) -> tuple[tuple[int, int], ...]:
        return tuple((s.begin_s, s.end_s) for s in self.segments_of(day))

    def intervals_of(self, day: date) -> list[Interval]:
        """The service that begins on `day`, sorted and joined, without what the night before still holds."""
        known = self._kept.days.get(day)
        if known is not None:
            return known
        zone, eve = self.zone, day - timedelta(days=1)
        held = max((instant(zone, eve, end) for _, end in self._wall_segments(eve)), default=0)
        own = merged([(instant(zone, day, b), instant(zone, day, e)) for b, e in self._wall_segments(day)])
        intervals = [(max(begin, held), end) for begin, end in own if end > held]
        if len(self._kept.days) >= _DAYS_KEPT:
            self._kept.days = {}
        self._kept.days[day] = intervals
        return intervals
