"""What `POST /api/v1/deadline` takes, and how it refuses the rest: by the path of what is wrong."""

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.messages.sentence import InvalidField
from wardkeeper.registry.calendars.deadline import AtPercent, FromDue, Pause, Target
from wardkeeper.registry.calendars.form import parse_calendar, parse_deadline_request

ASKED = {
    "calendar": {
        "timezone": "Asia/Shanghai",
        "week": {"mon": [["08:00", "12:00"], ["14:00", "17:30"]], "fri": [["22:00", "06:00"]]},
        "holidays": ["2025-10-01"],
        "make_up_days": {"2025-09-28": [["08:00", "24:00"]]},
    },
    "start": "2025-06-06T16:30:00+08:00",
    "target": {"hours": 4},
}


def test_question_is_read():
    asked = parse_deadline_request(
        {
            **ASKED,
            "pauses": [["2025-06-06T16:40", "2025-06-06T09:20:00Z"], ["2025-06-09T08:00", None]],
            "warnings": ["50%", -30, "+15", "75.5 %"],
        }
    )
    zone = asked.calendar.zone
    assert asked.start == datetime(2025, 6, 6, 16, 30, tzinfo=zone)
    assert asked.target == Target(minutes=240)
    assert asked.pauses == (
        Pause(datetime(2025, 6, 6, 16, 40, tzinfo=zone), datetime(2025, 6, 6, 17, 20, tzinfo=zone)),
        Pause(datetime(2025, 6, 9, 8, tzinfo=zone)),
    )
    assert asked.warnings == (AtPercent(50), FromDue(-30), FromDue(15), AtPercent(75.5))
    assert [(s.begin_s, s.end_s) for s in asked.calendar.week[4]] == [(22 * 3600, 30 * 3600)]


@pytest.mark.parametrize(
    ("target", "outside", "expected"),
    [
        ({"minutes": 90}, None, Target(minutes=90)),
        ({"hours": 1.5}, None, Target(minutes=90)),
        ({"days": 2}, None, Target(days=2)),
        ({"days": 2.0, "end_of_day": True}, None, Target(days=2, end_of_day=True)),
        ({"days": 2}, True, Target(days=2, end_of_day=True)),
        ({"hours": 1, "end_of_day": False}, None, Target(minutes=60)),
        ({"hours": 1, "days": None}, None, Target(minutes=60)),
    ],
)
def test_target_is_read_with_end_of_day_inside_or_beside_it(target, outside, expected):
    data = {**ASKED, "target": target, **({} if outside is None else {"end_of_day": outside})}
    assert parse_deadline_request(data).target == expected


def test_holidays_may_be_named():
    named = parse_calendar({"timezone": "Asia/Shanghai", "holidays": {"2025-10-01": "国庆节"}})
    assert [f"{day}" for day in named.holidays] == ["2025-10-01"]


REFUSED = [
    ({"start": None}, "start"),
    ({"start": "2025-06-06"}, "start"),
    ({"start": "2025-13-06T08:00"}, "start"),
    ({"start": 1749198600}, "start"),
    ({"start": "0001-01-01T00:00:00+14:00"}, "start"),
    ({"start": "9999-12-31T23:59"}, "start"),
    ({"target": {}}, "target"),
    ({"target": {"hours": 1, "days": 1}}, "target"),
    ({"target": {"weeks": 1}}, "target.weeks"),
    ({"target": {"hours": -1}}, "target.hours"),
    ({"target": {"hours": "4"}}, "target.hours"),
    ({"target": {"hours": True}}, "target.hours"),
    ({"target": {"hours": 10**400}}, "target.hours"),
    ({"target": {"hours": float("nan")}}, "target.hours"),
    ({"target": {"hours": float("inf")}}, "target.hours"),
    ({"target": {"days": 1.5}}, "target.days"),
    ({"target": {"hours": 4, "end_of_day": True}}, "target.end_of_day"),
    ({"target": {"days": 4, "end_of_day": 1}}, "target.end_of_day"),
    ({"end_of_day": "yes"}, "end_of_day"),
    ({"target": [4]}, "target"),
    ({"pauses": {}}, "pauses"),
    ({"pauses": ["x"]}, "pauses[0]"),
    ({"pauses": [["2025-06-06T16:40"]]}, "pauses[0]"),
    ({"pauses": [["2025-06-06T16:40", "2025-06-06T16:39"]]}, "pauses[0]"),
    ({"pauses": [[None, "2025-06-06T16:39"]]}, "pauses[0][0]"),
    ({"pauses": [["2025-06-06T16:40", None]] * 1001}, "pauses"),
    ({"warnings": ["half"]}, "warnings[0]"),
    ({"warnings": [None]}, "warnings[0]"),
    ({"warnings": ["-5%"]}, "warnings[0]"),
    ({"warnings": [10**400]}, "warnings[0]"),
    ({"warnings": "50%"}, "warnings"),
    ({"colour": "red"}, "colour"),
    ({"calendar": []}, "calendar"),
    ({"calendar": {"week": {}}}, "calendar.timezone"),
    ({"calendar": {"timezone": "Moon/Base"}}, "calendar.timezone"),
    ({"calendar": {"timezone": "../../etc/passwd"}}, "calendar.timezone"),
    ({"calendar": {"timezone": "Asia"}}, "calendar.timezone"),
    ({"calendar": {"timezone": ""}}, "calendar.timezone"),
    ({"calendar": {"timezone": ["UTC"]}}, "calendar.timezone"),
    ({"calendar": {"timezone": "U\u0000TC"}}, "calendar.timezone"),
    ({"calendar": {"timezone": "UTC", "week": {"monday": []}}}, "calendar.week.monday"),
    ({"calendar": {"timezone": "UTC", "week": {"mon": "08:00"}}}, "calendar.week.mon"),
    ({"calendar": {"timezone": "UTC", "week": {"mon": [["08:00"]]}}}, "calendar.week.mon[0]"),
    ({"calendar": {"timezone": "UTC", "week": {"mon": [["8:00", "9:00"]]}}}, "calendar.week.mon[0][0]"),
    ({"calendar": {"timezone": "UTC", "week": {"mon": [["08:00", "24:01"]]}}}, "calendar.week.mon[0][1]"),
    ({"calendar": {"timezone": "UTC", "week": {"mon": [["24:00", "02:00"]]}}}, "calendar.week.mon[0][0]"),
    ({"calendar": {"timezone": "UTC", "week": {"mon": [["08:60", "09:00"]]}}}, "calendar.week.mon[0][0]"),
    ({"calendar": {"timezone": "UTC", "holidays": ["2025-02-29"]}}, "calendar.holidays[0]"),
    ({"calendar": {"timezone": "UTC", "holidays": ["20250228"]}}, "calendar.holidays[0]"),
    ({"calendar": {"timezone": "UTC", "make_up_days": {"x": []}}}, "calendar.make_up_days.x"),
    ({"calendar": {"timezone": "UTC", "make_up_days": ["2025-09-28"]}}, "calendar.make_up_days"),
]


@pytest.mark.parametrize(("change", "path"), REFUSED, ids=[path for _, path in REFUSED])
def test_what_cannot_be_used_is_refused_by_its_path(change, path):
    with pytest.raises(InvalidField) as refused:
        parse_deadline_request({**ASKED, **change})
    assert refused.value.field == path
    assert "%(" not in str(refused.value)


@pytest.mark.parametrize("name", ["calendar", "start", "target"])
def test_what_is_missing_is_named(name):
    with pytest.raises(InvalidField, match=f"{name}: is missing"):
        parse_deadline_request({key: value for key, value in ASKED.items() if key != name})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["calendar", "start", "target", "end_of_day", "pauses", "warnings"]), anything)
def test_nonsense_is_either_understood_or_refused(name, nonsense):
    try:
        parse_deadline_request({**json.loads(json.dumps(ASKED)), name: nonsense})
    except InvalidField as refused:
        assert refused.field.startswith(name)  # noqa: PT017 - the refusal itself is what is looked at
