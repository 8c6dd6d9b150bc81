"""Why a deadline is where it is, in both languages; and the answer of the API as a whole."""

import pytest
from django.utils import translation

from wardkeeper.messages.sentence import InvalidField
from wardkeeper.registry.calendars import wording
from wardkeeper.registry.calendars.builtin import builtin
from wardkeeper.registry.calendars.published import NotPublished, published
from wardkeeper.registry.calendars.queries import answer_deadline

OFFICE = [["08:00", "12:00"], ["14:00", "17:30"]]
CALENDAR = {
    "timezone": "Asia/Shanghai",
    "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE),
    "holidays": [f"2025-10-0{day}" for day in range(1, 9)],
    "make_up_days": {"2025-09-28": OFFICE, "2025-10-11": OFFICE},
}


def asked(**more):
    return {"calendar": CALENDAR, "start": "2025-06-06T16:30", "target": {"hours": 4}, **more}


def test_answer_has_due_pause_warnings_and_reasons():
    with translation.override("en"):
        answer = answer_deadline(
            asked(
                pauses=[["2025-06-06T16:40+08:00", "2025-06-06T17:20+08:00"]], warnings=["50%", -30, "150%"]
            )
        )
    assert answer == {
        "due": "2025-06-09T11:40:00+08:00",
        "paused_s": 2400,
        "warnings": [
            "2025-06-09T09:40:00+08:00",
            "2025-06-09T11:10:00+08:00",
            "2025-06-09T15:40:00+08:00",
        ],
        "explanation": "4 h of service time from Fri 6 Jun 16:30. Closed over days off from Fri 17:30 to Mon 08:00."
        " The clock stood for 40 min of service time, which is added. Due Mon 9 Jun 11:40.",
    }


def test_reasons_are_in_the_readers_language():
    with translation.override("zh-hans"):
        answer = answer_deadline(asked())
    assert answer["explanation"] == (
        "自6月6日 周五 16:30起，服务时间 4 小时。周五 17:30至周一 08:00为休息日，不计时。6月9日 周一 11:00到期。"
    )


REASONS = [
    ({"start": "2025-06-02T16:30", "target": {"hours": 1}}, "Due Mon 2 Jun 17:30, at closing time."),
    ({"start": "2025-06-01T10:00"}, "That is outside service hours."),
    ({"start": "2025-09-30T17:00"}, "Closed over a holiday from Tue 30 Sep 17:30 to Thu 9 Oct 08:00."),
    ({"start": "2025-09-26T17:00"}, "Sun 28 Sep is a make-up day and counts."),
    ({"target": {"days": 1}}, "On working day 1 after Fri 6 Jun 16:30, at the same time of day."),
    ({"target": {"days": 1, "end_of_day": True}}, "On working day 1 after Fri 6 Jun 16:30, at closing time."),
    ({"target": {"days": 0, "end_of_day": True}}, "At closing time of the working day of Fri 6 Jun 16:30."),
    ({"target": {"hours": 40}}, "times until then"),
    ({"target": {"hours": 40}}, "Closed over days off from Fri 6 Jun 17:30 to Mon 9 Jun 08:00."),
    ({"pauses": [["2025-06-06T17:00", None]]}, "The clock has stood since Fri 17:00"),
]


@pytest.mark.parametrize(("change", "said"), REASONS)
def test_reason_is_given(change, said):
    with translation.override("en"):
        answer = answer_deadline(asked(**change))
    assert said in answer["explanation"]


def test_open_pause_has_no_deadline_yet():
    answer = answer_deadline(asked(pauses=[["2025-06-06T17:00", None]], warnings=["5%", "100%"]))
    assert (answer["due"], answer["warnings"]) == (None, ["2025-06-06T16:42:00+08:00", None])


@pytest.mark.parametrize(
    ("change", "field"),
    [({"calendar": {"timezone": "Asia/Shanghai"}}, "calendar"), ({"target": {"hours": 40_000}}, "target")],
)
def test_what_can_never_fall_due_is_refused(change, field):
    with pytest.raises(InvalidField) as refused:
        answer_deadline(asked(**change))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 min", "0 分钟"),
        (45, "45 s", "45 秒"),
        (90, "1 min 30 s", "1 分钟 30 秒"),
        (16200, "4 h 30 min", "4 小时 30 分钟"),
        (200_000, "2 d 7 h", "2 天 7 小时"),
    ],
)
def test_span_in_words(seconds, english, chinese):
    with translation.override("en"):
        assert wording.span(seconds) == english
    with translation.override("zh-hans"):
        assert wording.span(seconds) == chinese


def test_published_holidays_of_china():
    year = published("cn", 2025)
    assert f"{min(year.holidays)}" == "2025-01-01"
    assert len([day for day in year.holidays if day.month == 10]) == 8
    assert [f"{day:%m-%d}" for day in year.make_up_days] == ["01-26", "02-08", "04-27", "09-28", "10-11"]
    assert all(day.weekday() >= 5 for y in (2025, 2026) for day in published("cn", y).make_up_days)
    for country, y in (("cn", 1999), ("xx", 2025), ("../cn", 2025)):
        with pytest.raises(NotPublished):
            published(country, y)


def test_built_in_calendars():
    office = builtin("service-hours", "Asia/Shanghai")
    assert office is not None
    assert {f"{day}" for day in office.make_up_days} >= {"2025-09-28", "2026-10-10"}
    assert builtin("unknown", "Asia/Shanghai") is None
