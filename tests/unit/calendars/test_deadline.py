"""Deadlines worked out by hand: leap day, year end, daylight saving, National Day with make-up days, night shift."""

from datetime import UTC, date, datetime, timedelta

import pytest

from wardkeeper.registry.calendars.builtin import builtin
from wardkeeper.registry.calendars.clock import BeyondHorizon, NoServiceTime, ServiceCalendar
from wardkeeper.registry.calendars.deadline import AtPercent, FromDue, Pause, Target, Warn, deadline
from wardkeeper.registry.calendars.form import parse_calendar

OFFICE = [["08:00", "12:00"], ["14:00", "17:30"]]
HOSPITAL = parse_calendar(
    {
        "timezone": "Asia/Shanghai",
        "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE),
        # As published for 2025: 1-8 October off, worked on Sunday 28 September and Saturday 11 October.
        "holidays": [f"2025-10-0{day}" for day in range(1, 9)],
        "make_up_days": {"2025-09-28": OFFICE, "2025-10-11": OFFICE},
    }
)
NIGHTS = parse_calendar(
    {
        "timezone": "Asia/Shanghai",
        "week": {day: [["22:00", "06:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    }
)
ALWAYS = builtin("24x7", "Asia/Shanghai")
BERLIN = builtin("24x7", "Europe/Berlin")
BERLIN_NIGHTS = parse_calendar(
    {"timezone": "Europe/Berlin", "week": {day: [["22:00", "06:00"]] for day in ("sat", "sun")}}
)
NEW_YORK = parse_calendar(
    {
        "timezone": "America/New_York",
        "week": {day: [["01:30", "03:30"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    }
)


def local(calendar: ServiceCalendar, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone)


def hours(n, **rest):
    return Target(minutes=n * 60, **rest)


WORKED = [
    # Within one day, over lunch, over night, over the weekend.
    ("within the morning", HOSPITAL, "2025-06-02 09:00", hours(1), "2025-06-02 10:00"),
    ("over lunch", HOSPITAL, "2025-06-02 11:30", hours(1), "2025-06-02 14:30"),
    ("to closing time exactly", HOSPITAL, "2025-06-02 16:30", hours(1), "2025-06-02 17:30"),
    ("to lunch exactly", HOSPITAL, "2025-06-02 11:00", hours(1), "2025-06-02 12:00"),
    ("one minute past closing", HOSPITAL, "2025-06-02 16:30", Target(minutes=61), "2025-06-03 08:01"),
    ("over the weekend", HOSPITAL, "2025-06-06 16:30", hours(4), "2025-06-09 11:00"),
    ("before opening", HOSPITAL, "2025-06-02 06:00", hours(1), "2025-06-02 09:00"),
    ("in the lunch break", HOSPITAL, "2025-06-02 12:30", hours(1), "2025-06-02 15:00"),
    ("on Sunday", HOSPITAL, "2025-06-01 10:00", hours(1), "2025-06-02 09:00"),
    ("at closing time", HOSPITAL, "2025-06-06 17:30", hours(1), "2025-06-09 09:00"),
    # National Day: Sunday 28 September is worked, 1-8 October are not, Saturday the 11th is.
    ("make-up Sunday counts", HOSPITAL, "2025-09-26 17:00", hours(1), "2025-09-28 08:30"),
    ("over the holiday", HOSPITAL, "2025-09-30 17:00", hours(1), "2025-10-09 08:30"),
    ("make-up Saturday counts", HOSPITAL, "2025-10-10 17:00", hours(1), "2025-10-11 08:30"),
    ("2 working days over the holiday", HOSPITAL, "2025-09-29 10:00", Target(days=2), "2025-10-09 10:00"),
    ("4 working days with a make-up day", HOSPITAL, "2025-09-29 10:00", Target(days=4), "2025-10-11 10:00"),
    ("reported in the holiday", HOSPITAL, "2025-10-03 10:00", hours(1), "2025-10-09 09:00"),
    # Days.
    ("one day keeps the time", HOSPITAL, "2025-06-02 10:17", Target(days=1), "2025-06-03 10:17"),
    ("one day over the weekend", HOSPITAL, "2025-06-06 16:00", Target(days=1), "2025-06-09 16:00"),
    ("one day from closing time", HOSPITAL, "2025-06-06 17:30", Target(days=1), "2025-06-09 17:30"),
    ("one day, end of day", HOSPITAL, "2025-06-06 09:00", Target(days=1, end_of_day=True), "2025-06-09 17:30"),
    ("today's end", HOSPITAL, "2025-06-06 09:00", Target(days=0, end_of_day=True), "2025-06-06 17:30"),
    ("today's end when over", HOSPITAL, "2025-06-06 19:00", Target(days=0, end_of_day=True), "2025-06-09 17:30"),
    ("Sunday's end", HOSPITAL, "2025-06-01 19:00", Target(days=0, end_of_day=True), "2025-06-02 17:30"),
    ("from Saturday, end of day", HOSPITAL, "2025-06-07 09:00", Target(days=1, end_of_day=True), "2025-06-09 17:30"),
    ("a day from Saturday", HOSPITAL, "2025-06-07 09:00", Target(days=1), "2025-06-09 17:30"),
    ("a day from the evening", HOSPITAL, "2025-06-06 20:00", Target(days=1), "2025-06-09 17:30"),
    ("a day from before opening", HOSPITAL, "2025-06-02 06:00", Target(days=1), "2025-06-03 08:00"),
    ("a day from the lunch break", HOSPITAL, "2025-06-02 12:30", Target(days=1), "2025-06-03 12:00"),
    # Night shift: what begins on Friday belongs to Friday.
    ("within the night", NIGHTS, "2025-06-02 23:00", hours(3), "2025-06-03 02:00"),
    ("to the next night", NIGHTS, "2025-06-03 05:00", hours(2), "2025-06-03 23:00"),
    ("Friday's night ends on Saturday", NIGHTS, "2025-06-07 05:00", hours(2), "2025-06-09 23:00"),
    ("a day at night", NIGHTS, "2025-06-03 02:00", Target(days=1), "2025-06-04 02:00"),
    ("a day from Friday's night", NIGHTS, "2025-06-07 02:00", Target(days=1), "2025-06-10 02:00"),
    ("a night's end", NIGHTS, "2025-06-07 02:00", Target(days=0, end_of_day=True), "2025-06-07 06:00"),
    # Round the clock: leap day, year end, and the day ends at 24:00.
    ("over leap day", ALWAYS, "2024-02-28 23:30", hours(24), "2024-02-29 23:30"),
    ("over 28 February", ALWAYS, "2025-02-28 23:30", hours(24), "2025-03-01 23:30"),
    ("leap day kept by days", ALWAYS, "2024-02-28 23:30", Target(days=2), "2024-03-01 23:30"),
    ("year end", ALWAYS, "2025-12-31 23:59", Target(minutes=2), "2026-01-01 00:01"),
    ("to midnight", ALWAYS, "2025-06-02 23:00", hours(1), "2025-06-03 00:00"),
    ("end of day is 24:00", ALWAYS, "2025-06-02 23:00", Target(days=0, end_of_day=True), "2025-06-03 00:00"),
    ("end of the day that begins", ALWAYS, "2025-06-03 00:00", Target(days=0, end_of_day=True), "2025-06-04 00:00"),
    ("a year without a lost second", ALWAYS, "2025-01-01 00:00", hours(8760), "2026-01-01 00:00"),
    # Daylight saving: Berlin leaps from 02:00 to 03:00 on 30 March and back from 03:00 on 26 October 2025.
    ("spring: an hour is missing", BERLIN, "2025-03-29 12:00", hours(24), "2025-03-30 13:00"),
    ("spring: a day keeps the time", BERLIN, "2025-03-29 12:00", Target(days=1), "2025-03-30 12:00"),
    ("spring: a skipped time is the leap", BERLIN, "2025-03-29 02:30", Target(days=1), "2025-03-30 03:00"),
    ("autumn: an hour comes twice", BERLIN, "2025-10-25 12:00", hours(24), "2025-10-26 11:00"),
    ("autumn: a day keeps the time", BERLIN, "2025-10-25 12:00", Target(days=1), "2025-10-26 12:00"),
    ("spring night has 7 hours", BERLIN_NIGHTS, "2025-03-29 22:00", hours(7), "2025-03-30 06:00"),
    ("autumn night has 9 hours", BERLIN_NIGHTS, "2025-10-25 22:00", hours(9), "2025-10-26 06:00"),
    # New York leaps from 02:00 to 03:00 on 9 March and back from 02:00 to 01:00 on 2 November 2025.
    ("opening before the gap", NEW_YORK, "2025-03-09 01:30", hours(1), "2025-03-09 03:30"),
    ("opening within the fold is the first", NEW_YORK, "2025-11-02 01:30", hours(3), "2025-11-02 03:30"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("calendar", "start", "target", "due"), [w[1:] for w in WORKED], ids=[w[0] for w in WORKED]
)
def test_worked_deadline(calendar, start, target, due):
    assert deadline(calendar, local(calendar, start), target).due == local(calendar, due)


START = "2025-06-06 16:30"
"""A Friday; one hour of service is left of the week."""


def paused(calendar, *pauses):
    return [Pause(local(calendar, a), local(calendar, b) if b else None) for a, b in pauses]


PAUSED = [
    ("within service", [("2025-06-06 16:40", "2025-06-06 17:20")], "2025-06-09 11:40", 2400),
    ("over closing time", [("2025-06-06 17:00", "2025-06-08 12:00")], "2025-06-09 11:30", 1800),
    ("outside service", [("2025-06-06 18:00", "2025-06-08 12:00")], "2025-06-09 11:00", 0),
    ("before the start", [("2025-06-06 10:00", "2025-06-06 16:00")], "2025-06-09 11:00", 0),
    ("over the start", [("2025-06-06 10:00", "2025-06-06 17:00")], "2025-06-09 11:30", 1800),
    ("after the deadline", [("2025-06-09 15:00", "2025-06-09 16:00")], "2025-06-09 11:00", 0),
    ("from the deadline on", [("2025-06-09 11:00", "2025-06-09 16:00")], "2025-06-09 11:00", 0),
    ("just before the deadline", [("2025-06-09 10:59", "2025-06-09 11:59")], "2025-06-09 12:00", 3600),
    (
        "overlapping count once",
        [("2025-06-06 16:40", "2025-06-06 17:00"), ("2025-06-06 16:50", "2025-06-06 17:20")],
        "2025-06-09 11:40",
        2400,
    ),
    (
        "unsorted",
        [("2025-06-09 08:00", "2025-06-09 08:10"), ("2025-06-06 16:40", "2025-06-06 17:00")],
        "2025-06-09 11:30",
        1800,
    ),
    (
        "reached only by another pause",
        [("2025-06-09 11:10", "2025-06-09 11:20"), ("2025-06-06 16:40", "2025-06-06 17:00")],
        "2025-06-09 11:30",
        1800,
    ),
    ("empty", [("2025-06-09 09:00", "2025-06-09 09:00")], "2025-06-09 11:00", 0),
]  # fmt: skip


@pytest.mark.parametrize(("pauses", "due", "seconds"), [p[1:] for p in PAUSED], ids=[p[0] for p in PAUSED])
def test_pause_lengthens_by_the_service_time_inside_it(pauses, due, seconds):
    result = deadline(HOSPITAL, local(HOSPITAL, START), hours(4), paused(HOSPITAL, *pauses))
    assert (result.due, result.paused_s) == (local(HOSPITAL, due), seconds)


def test_pause_lengthens_a_target_of_days_too():
    pauses = paused(HOSPITAL, ("2025-06-06 16:40", "2025-06-06 17:20"))
    result = deadline(HOSPITAL, local(HOSPITAL, START), Target(days=1), pauses)
    assert result.due == local(HOSPITAL, "2025-06-09 17:10")
    closing = deadline(HOSPITAL, local(HOSPITAL, START), Target(days=1, end_of_day=True), pauses)
    assert closing.due == local(HOSPITAL, "2025-06-10 08:40")


def test_pause_without_end_leaves_the_deadline_open():
    pauses = paused(HOSPITAL, ("2025-06-06 16:30", "2025-06-06 16:40"), ("2025-06-06 17:00", None))
    warnings: list[Warn] = [AtPercent(5), AtPercent(50), FromDue(0)]
    result = deadline(HOSPITAL, local(HOSPITAL, START), hours(4), pauses, warnings)
    assert (result.due, result.paused_s) == (None, 600)
    assert result.warnings == (local(HOSPITAL, "2025-06-06 16:52"), None, None)


def test_pause_without_end_after_the_deadline_changes_nothing():
    pauses = paused(HOSPITAL, ("2025-06-09 11:00", None))
    assert deadline(HOSPITAL, local(HOSPITAL, START), hours(4), pauses).due == local(
        HOSPITAL, "2025-06-09 11:00"
    )


def test_warnings_are_service_time_and_shares_of_the_target_in_the_order_asked():
    warnings: list[Warn] = [
        AtPercent(50),
        AtPercent(100),
        AtPercent(150),
        FromDue(-30),
        FromDue(0),
        FromDue(60),
        FromDue(-600),
    ]
    pauses = paused(HOSPITAL, ("2025-06-09 08:00", "2025-06-09 08:40"))
    result = deadline(HOSPITAL, local(HOSPITAL, START), hours(4), pauses, warnings)
    assert [f"{at:%d %H:%M}" for at in result.warnings] == [
        "09 09:40",  # 1 h on Friday, 40 min paused, 1 h on Monday
        "09 11:40",
        "09 15:40",
        "09 11:10",
        "09 11:40",
        "09 14:40",
        "06 16:30",  # never before the start
    ]


def test_warning_at_100_percent_is_the_deadline_even_where_it_opens_a_day():
    start = local(HOSPITAL, "2025-06-02 06:00")
    result = deadline(HOSPITAL, start, Target(days=1), [], [AtPercent(100), FromDue(0)])
    assert result.due == local(HOSPITAL, "2025-06-03 08:00")
    assert set(result.warnings) == {result.due}


def test_deadline_is_in_the_calendars_zone_whatever_the_zone_of_the_start():
    start = datetime(2025, 6, 2, 1, 0, tzinfo=UTC)
    due = deadline(HOSPITAL, start, hours(1)).due
    assert due is not None
    assert (due.isoformat(), due.tzinfo) == ("2025-06-02T10:00:00+08:00", HOSPITAL.zone)


def test_no_target_is_due_at_once_even_outside_service_hours():
    start = local(HOSPITAL, "2025-06-01 10:00")
    assert deadline(HOSPITAL, start, Target(minutes=0)).due == start


CLOSED = parse_calendar({"timezone": "Asia/Shanghai", "week": {}})
RUN_OUT = parse_calendar(
    {"timezone": "Asia/Shanghai", "week": {}, "make_up_days": {"2020-01-04": [["08:00", "12:00"]]}}
)


@pytest.mark.parametrize("target", [hours(1), Target(days=1), Target(days=0, end_of_day=True)])
def test_calendar_without_service_time_is_an_error_not_an_endless_search(target):
    with pytest.raises(NoServiceTime):
        deadline(CLOSED, local(CLOSED, START), target)
    with pytest.raises(BeyondHorizon):
        deadline(RUN_OUT, local(RUN_OUT, START), target)


def test_more_service_than_ten_years_hold_is_an_error():
    with pytest.raises(BeyondHorizon):
        deadline(HOSPITAL, local(HOSPITAL, START), hours(30_000))


def test_make_up_day_inside_a_holiday_is_worked_and_an_empty_one_is_not():
    calendar = parse_calendar(
        {
            "timezone": "Asia/Shanghai",
            "week": {"mon": OFFICE, "tue": OFFICE},
            "holidays": ["2025-06-02"],
            "make_up_days": {"2025-06-02": [["10:00", "11:00"]], "2025-06-03": []},
        }
    )
    assert (
        calendar.service_seconds(local(calendar, "2025-06-02 00:00"), local(calendar, "2025-06-09 00:00"))
        == 3600
    )


def test_service_is_on_from_opening_up_to_closing():
    for text, is_on in [
        ("07:59", False),
        ("08:00", True),
        ("11:59", True),
        ("12:00", False),
        ("17:30", False),
    ]:
        assert HOSPITAL.opens(local(HOSPITAL, f"2025-06-02 {text}")) is is_on


def test_service_time_backwards_is_negative():
    early, late = local(HOSPITAL, "2025-06-02 09:00"), local(HOSPITAL, "2025-06-02 15:00")
    assert HOSPITAL.service_seconds(late, early) == -HOSPITAL.service_seconds(early, late) == -4 * 3600


def test_overlapping_segments_of_two_days_count_once():
    calendar = parse_calendar(
        {"timezone": "Asia/Shanghai", "week": {"mon": [["20:00", "08:00"]], "tue": [["06:00", "10:00"]]}}
    )
    monday = datetime.combine(date(2025, 6, 2), datetime.min.time(), calendar.zone)
    assert calendar.service_seconds(monday, monday + timedelta(days=2)) == 14 * 3600
