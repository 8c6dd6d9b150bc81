"""What must hold on every calendar, and agreement with a reference that walks minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wardkeeper.registry.calendars.clock import Segment, ServiceCalendar
from wardkeeper.registry.calendars.deadline import AtPercent, Pause, Target, deadline
from wardkeeper.registry.calendars.timetable import DAY_S, instant

MINUTE = timedelta(minutes=1)
FIRST = datetime(2025, 10, 20, tzinfo=UTC)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
CHANGES = [date(2025, 3, 8), date(2025, 10, 4), date(2025, 10, 25), date(2025, 11, 1)]
"""Within two days of these, each of the zones but two changes its offset."""
DATES = [date(2025, 10, 18) + timedelta(days=n) for n in range(20)]


@st.composite
def segments(draw, most=3):
    found = []
    for _ in range(draw(st.integers(0, most))):
        begin = draw(st.integers(0, 47)) * 1800
        found.append(Segment(begin, begin + draw(st.integers(1, 48)) * 1800))
    return tuple(found)


@st.composite
def calendars(draw):
    """Every half hour of a day may open or close; daylight saving ends within the days looked at."""
    week = tuple(draw(segments(2)) for _ in range(7))
    assume(any(week))
    return ServiceCalendar(
        draw(st.sampled_from(ZONES)),
        week,
        frozenset(draw(st.lists(st.sampled_from(DATES), max_size=3))),
        draw(st.dictionaries(st.sampled_from(DATES), segments(2), max_size=3)),
    )


starts = st.integers(0, 7 * 1440).map(lambda n: FIRST + n * MINUTE)
minutes = st.integers(0, 3_000)


@st.composite
def pauses(draw):
    begin = draw(starts)
    return Pause(begin, begin + draw(st.integers(0, 2_000)) * MINUTE)


def due_of(calendar, start, target, stops=()) -> datetime:
    due = deadline(calendar, start, target, stops).due
    assert due is not None
    return due


def slowly_open(calendar, at):
    """Looks at the wall clock of this very minute, without any table.

    A wall time that comes twice counts as past every bound in that hour the second time,
    as the convention has it that the first of the two opens and closes.
    """
    local = at.astimezone(calendar.zone)
    wall = local.replace(tzinfo=None, fold=0)
    first = wall.replace(tzinfo=calendar.zone)
    if local.fold:
        overlap = first.utcoffset() - local.utcoffset()
        # The last minute of the first pass through the hour.
        while (
            wall.replace(tzinfo=calendar.zone).utcoffset()
            - wall.replace(tzinfo=calendar.zone, fold=1).utcoffset()
            == overlap
        ):
            wall += MINUTE
        wall -= MINUTE
    for back in (0, 1):
        day = wall.date() - timedelta(days=back)
        second = (wall - datetime.combine(day, datetime.min.time())) // timedelta(seconds=1)
        if any(s.begin_s <= second < s.end_s for s in calendar.segments_of(day)):
            return True
    return False


def slowly_add(calendar, start, needed, stops, limit):
    """Walks minute by minute; a minute inside a pause does not use the target up."""
    at = start
    for _ in range(limit):
        if not needed:
            return at
        stopped = any(stop.begin <= at < stop.end for stop in stops)
        if slowly_open(calendar, at) and not stopped:
            needed -= 1
        at += MINUTE
    return None if needed else at


@settings(max_examples=60, deadline=None)
@given(calendars(), starts, st.integers(0, 600), st.lists(pauses(), max_size=3))
def test_deadline_agrees_with_a_walk_minute_by_minute(calendar, start, needed, stops):
    expected = slowly_add(calendar, start, needed, stops, limit=12 * 1440)
    assume(expected is not None)
    assert due_of(calendar, start, Target(minutes=needed), stops) == expected


@settings(max_examples=60, deadline=None)
@given(calendars(), starts, st.integers(0, 4_000))
def test_service_time_agrees_with_a_walk_minute_by_minute(calendar, start, length):
    end = start + length * MINUTE
    walked = sum(60 for n in range(length) if slowly_open(calendar, start + n * MINUTE))
    assert calendar.service_seconds(start, end) == walked


@settings(max_examples=60, deadline=None)
@given(calendars(), starts, minutes, minutes)
def test_two_targets_one_after_the_other_are_their_sum(calendar, start, a, b):
    assert calendar.add(calendar.add(start, a), b) == calendar.add(start, a + b)


@settings(max_examples=60, deadline=None)
@given(calendars(), starts, minutes)
def test_target_is_the_service_time_up_to_its_deadline(calendar, start, a):
    assert calendar.service_seconds(start, calendar.add(start, a)) == a * 60


@settings(max_examples=60, deadline=None)
@given(calendars(), st.lists(starts, min_size=2, max_size=2), st.lists(minutes, min_size=2, max_size=2),
       st.lists(pauses(), max_size=3))  # fmt: skip
def test_more_time_or_a_later_start_is_never_due_earlier(calendar, two_starts, two_targets, stops):
    early, late = sorted(two_starts)
    small, large = sorted(two_targets)
    due = due_of(calendar, early, Target(minutes=small), stops)
    assert due <= due_of(calendar, early, Target(minutes=large), stops)
    assert due <= due_of(calendar, late, Target(minutes=small), stops)


@settings(max_examples=100, deadline=None)
@given(calendars(), starts, starts, st.integers(0, 4), st.booleans())
def test_days_too_are_never_due_earlier_for_a_later_start_or_more_days(
    calendar, start, other, days, end_of_day
):
    early, late = sorted((start, other))
    target = Target(days=days, end_of_day=end_of_day)
    due = due_of(calendar, early, target)
    assert early <= due <= due_of(calendar, late, target)
    assert due <= due_of(calendar, early, Target(days=days + 1, end_of_day=end_of_day))
    assert due <= due_of(calendar, early, Target(days=days, end_of_day=True))


@settings(max_examples=60, deadline=None)
@given(calendars(), starts, minutes, st.lists(pauses(), max_size=4), pauses())
def test_pauses_may_come_in_any_order_twice_or_in_pieces(calendar, start, a, stops, stop):
    target = Target(minutes=a)
    middle = stop.begin + (stop.end - stop.begin) / 2
    whole = [*stops, stop]
    pieces = [Pause(middle, stop.end), *reversed(stops), Pause(stop.begin, middle), *stops]
    assert deadline(calendar, start, target, pieces) == deadline(calendar, start, target, whole)
    assert due_of(calendar, start, target, whole) >= due_of(calendar, start, target, stops)


@settings(max_examples=60, deadline=None)
@given(calendars(), starts, minutes, st.lists(pauses(), max_size=4))
def test_paused_time_is_what_the_deadline_moved_by(calendar, start, a, stops):
    result = deadline(calendar, start, Target(minutes=a), stops)
    assert result.due is not None
    assert calendar.service_seconds(start, result.due) == a * 60 + result.paused_s


@settings(max_examples=60, deadline=None)
@given(calendars(), starts, minutes, st.lists(pauses(), max_size=3))
def test_warnings_come_in_the_order_of_their_shares(calendar, start, a, stops):
    shares = [AtPercent(p) for p in (0, 50, 75, 100, 150)]
    result = deadline(calendar, start, Target(minutes=a), stops, shares)
    assert list(result.warnings) == sorted(at for at in result.warnings if at)
    assert result.warnings[0] == start
    assert result.warnings[3] == result.due


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ZONES), st.sampled_from(CHANGES), st.integers(0, 3 * DAY_S), st.integers(0, 3 * DAY_S))
def test_wall_clock_never_runs_backwards_in_time(zone, day, a, b):
    early, late = sorted((a, b))
    assert instant(ZoneInfo(zone), day, early) <= instant(ZoneInfo(zone), day, late)


def test_order_in_which_questions_come_does_not_matter():
    week = ((Segment(8 * 3600, 12 * 3600),),) * 5 + ((), ())
    fresh = ServiceCalendar("Europe/Berlin", week)
    used = ServiceCalendar("Europe/Berlin", week)
    used.opens(datetime(2031, 1, 1, tzinfo=UTC))
    used.opens(datetime(2019, 1, 1, tzinfo=UTC))
    for year in (2020, 2024, 2030):
        start = datetime(year, 12, 31, 9, tzinfo=UTC)
        assert used.add(start, 1_000) == fresh.add(start, 1_000)


@pytest.mark.parametrize(("begin", "end"), [(-1, 5), (0, 0), (5, 4), (DAY_S, DAY_S + 1), (10, DAY_S + 11)])
def test_segment_out_of_bounds_is_refused(begin, end):
    with pytest.raises(ValueError, match="24 h at most"):
        Segment(begin, end)
