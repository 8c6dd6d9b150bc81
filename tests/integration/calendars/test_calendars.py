"""Calendars kept in PostgreSQL."""

from datetime import date, datetime
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import IntegrityError

from wardkeeper.bus.models import OutboxMessage
from wardkeeper.messages.sentence import InvalidField
from wardkeeper.registry.calendars import queries, services
from wardkeeper.registry.calendars.models import Calendar, CalendarDay

pytestmark = pytest.mark.django_db
OFFICE = [["08:00", "12:00"], ["14:00", "17:30"]]
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE)


def saved(code="office", *, hospital=None, week=WEEK):
    return services.save_calendar(
        code,
        hospital=hospital,
        name_zh="办公时间",
        name_en="Office hours",
        timezone="Asia/Shanghai",
        week=week,
    )


def service_h(calendar, first, last):
    zone = calendar.zone
    start, end = (datetime.fromisoformat(day).replace(tzinfo=zone) for day in (first, last))
    return calendar.service_seconds(start, end) / 3600


def test_the_hospitals_own_calendar_goes_before_everyones_and_the_built_in_one():
    assert queries.calendar_for("service-hours", 7).timezone == "Asia/Shanghai"
    saved("service-hours", week={"mon": [["10:00", "11:00"]]})
    assert service_h(queries.calendar_for("service-hours", 7), "2025-06-02", "2025-06-09") == 1
    saved("service-hours", hospital=7, week={"mon": [["10:00", "13:00"]]})
    assert service_h(queries.calendar_for("service-hours", 7), "2025-06-02", "2025-06-09") == 3
    assert service_h(queries.calendar_for("service-hours", 8), "2025-06-02", "2025-06-09") == 1
    with pytest.raises(queries.CalendarNotFound):
        queries.calendar_for("moon", 7)


def test_published_holidays_are_taken_over_and_may_be_taken_back():
    row = services.take_over(saved(), country="cn", year=2025)
    assert service_h(queries.service_calendar(row), "2025-09-28", "2025-10-13") == 7.5 * 6
    again = services.take_over(row, country="cn", year=2025)
    assert CalendarDay.objects.filter(calendar=again).count() == 28 + 5
    row = services.remove_days(again, [date(2025, 10, 1)])
    assert service_h(queries.service_calendar(row), "2025-09-28", "2025-10-13") == 7.5 * 7


def test_what_was_computed_before_a_change_is_not_used_after_it():
    row = saved()
    assert service_h(queries.service_calendar(row), "2025-06-02", "2025-06-03") == 7.5
    services.set_days(row, [services.Day(on=date(2025, 6, 2), kind="make_up", segments=[["09:00", "10:00"]])])
    assert service_h(queries.calendar_for("office"), "2025-06-02", "2025-06-03") == 1
    saved(week={})
    assert service_h(queries.calendar_for("office"), "2025-06-02", "2025-06-03") == 1  # its days stay
    assert queries.as_data(Calendar.objects.get())["make_up_days"] == {"2025-06-02": [["09:00", "10:00"]]}


def test_every_change_is_announced_with_its_version():
    row = saved()
    services.set_days(row, [services.Day(on=date(2025, 6, 2), kind="holiday")])
    saved()
    assert OutboxMessage.objects.filter(topic="calendar.changed").count() == 3
    assert Calendar.objects.get().version == 4


def test_what_could_not_be_computed_with_is_not_stored():
    changes: list[tuple[dict[str, Any], str]] = [
        ({"week": {"mon": [["08:00", "25:00"]]}}, "week.mon[0][1]"),
        ({"code": " "}, "code"),
    ]
    for change, field in changes:
        with pytest.raises(InvalidField) as refused:
            saved(**change)
        assert refused.value.field == field
    row = saved()
    for day in (
        services.Day(on=date(2025, 6, 2), kind="holiday", segments=[["08:00", "09:00"]]),
        services.Day(on=date(2025, 6, 2), kind="half", segments=[]),
    ):
        with pytest.raises(InvalidField):
            services.set_days(row, [day])
    assert not CalendarDay.objects.exists()


def test_the_database_itself_keeps_one_calendar_of_a_code_and_holidays_closed():
    row = saved()
    with pytest.raises(IntegrityError, match="one_code_per_hospital"), transaction.atomic():
        Calendar.objects.create(code="office", name_zh="x", name_en="x")
    with pytest.raises(IntegrityError, match="holiday_has_no_segments"), transaction.atomic():
        CalendarDay.objects.create(calendar=row, on=date(2025, 6, 2), kind="holiday", segments=OFFICE)
