"""The service time of a calendar as a sorted table of instants, so that any question costs two bisections.

Instants and lengths here are whole microseconds (UTC, since 1970): sums are exact,
and adding two targets one after the other is the same as adding their sum.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000
DAY_S = 86_400

Interval = tuple[int, int]


def micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def moment(at_us: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=at_us)).astimezone(zone)


def instant(zone: ZoneInfo, day: date, second: int) -> int:
    """When the clock on the wall shows `second` seconds after midnight of `day`, 86,400 and more later.

    A time that the clock skips in spring is the instant of the jump; one that it shows
    twice in autumn is the first. So the mapping never runs backwards, and segments that
    touch on the wall touch in time: no second is lost or counted twice.
    """
    naive = datetime(day.year, day.month, day.day) + timedelta(seconds=second)  # noqa: DTZ001 - the wall clock has no zone yet
    first = naive.replace(tzinfo=zone)
    before, after = first.utcoffset(), first.replace(fold=1).utcoffset()
    at = micros(first)
    if before is None or after is None or after <= before:
        return at
    return _jump(zone, at - (after - before) // MICROSECOND, at)


def _jump(zone: ZoneInfo, low: int, high: int) -> int:
    """The instant in (low, high] at which the zone's offset changes, to the second."""
    old = moment(low, zone).utcoffset()
    while high - low > SECOND_US:
        middle = (low + high) // 2 // SECOND_US * SECOND_US
        middle = max(middle, low + SECOND_US)
        if moment(middle, zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high


def merged(intervals: list[Interval]) -> list[Interval]:
    """Sorted, overlaps and touching ends joined, empty ones dropped."""
    joined: list[Interval] = []
    for begin, end in sorted(intervals):
        if end <= begin:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


@dataclass(frozen=True, slots=True)
class Timetable:
    """All service time from `valid_from` to `valid_to`.

    before  service time of the table that lies before each interval; `done` that at its end
    """

    valid_from: int
    valid_to: int
    opens: list[int]
    closes: list[int]
    before: list[int]
    done: list[int]

    def served(self, at: int) -> int:
        """Service time of this table up to `at`."""
        i = bisect_right(self.opens, at) - 1
        if i < 0:
            return 0
        return self.before[i] + min(at, self.closes[i]) - self.opens[i]

    def reached(self, served: int) -> int | None:
        """The first instant by which `served` has passed; None if this table does not reach so far."""
        i = bisect_left(self.done, served)
        if i == len(self.done):
            return None
        at = self.opens[i] + served - self.before[i]
        return at if at <= self.valid_to else None

    def is_open(self, at: int) -> bool:
        i = bisect_right(self.opens, at) - 1
        return i >= 0 and at < self.closes[i]

    def between(self, start: int, end: int) -> list[Interval]:
        """The service intervals that touch [start, end], cut to it."""
        first = max(bisect_right(self.opens, start) - 1, 0)
        last = bisect_left(self.opens, end)
        cut = ((max(start, self.opens[i]), min(end, self.closes[i])) for i in range(first, last))
        return [(begin, stop) for begin, stop in cut if begin < stop]


def timetable(
    zone: ZoneInfo, first: date, last: date, segments_of: Callable[[date], tuple[tuple[int, int], ...]]
) -> Timetable:
    """The table that is valid for every instant of the days from `first` up to and with `last`.

    segments_of  the wall-clock segments of a day, in seconds after its midnight; a
                 segment begins on its day and lasts 24 h at most
    """
    intervals: list[Interval] = []
    day = first - timedelta(days=1)  # its night shift reaches into `first`
    while day <= last:
        intervals.extend(
            (instant(zone, day, begin), instant(zone, day, end)) for begin, end in segments_of(day)
        )
        day += timedelta(days=1)
    opens, closes, before, done, total = [], [], [], [], 0
    for begin, end in merged(intervals):
        opens.append(begin)
        closes.append(end)
        before.append(total)
        total += end - begin
        done.append(total)
    return Timetable(instant(zone, first, 0), instant(zone, last, DAY_S), opens, closes, before, done)
