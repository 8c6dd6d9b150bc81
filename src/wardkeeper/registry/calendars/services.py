"""The only writers of calendars. Every change raises the calendar's version and announces itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F

from wardkeeper.bus.outbox import announce
from wardkeeper.messages import CalendarChanged
from wardkeeper.messages.sentence import InvalidField, gettext_noop
from wardkeeper.registry.calendars import form
from wardkeeper.registry.calendars.models import Calendar, CalendarDay
from wardkeeper.registry.calendars.published import published


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day that differs from its week; `segments` as JSON says them, none for a holiday."""

    on: date
    kind: str
    segments: Any = ()
    title: str = ""


@transaction.atomic
def save_calendar(
    code: str,
    *,
    hospital: int | None,
    name_zh: str,
    name_en: str,
    timezone: str,
    week: Mapping[str, Any],
) -> Calendar:
    """Makes the calendar or replaces its name, zone and week; its days stay. Raises InvalidField."""
    if not code.strip():
        raise InvalidField("code", gettext_noop("is missing"))
    form.parse_timezone(timezone, "timezone")
    form.parse_week(week, "week")
    row, is_new = Calendar.objects.get_or_create(
        hospital=hospital,
        code=code.strip(),
        defaults={"name_zh": name_zh, "name_en": name_en, "timezone": timezone, "week": dict(week)},
    )
    if not is_new:
        row.name_zh, row.name_en, row.timezone, row.week = name_zh, name_en, timezone, dict(week)
        row.save(update_fields=["name_zh", "name_en", "timezone", "week"])
    return _changed(row)


@transaction.atomic
def set_days(calendar: Calendar, days: Iterable[Day]) -> Calendar:
    """Adds these days, or replaces those of the same date and kind. Raises InvalidField."""
    rows = []
    for day in days:
        segments = form.parse_segments(list(day.segments), f"{day.on}")
        if day.kind not in CalendarDay.Kind.values:
            allowed = ", ".join(CalendarDay.Kind.values)
            raise InvalidField("kind", gettext_noop("must be one of %(allowed)s"), allowed=allowed)
        if segments and day.kind == CalendarDay.Kind.HOLIDAY:
            raise InvalidField(f"{day.on}", gettext_noop("a holiday has no hours; make it a make-up day"))
        rows.append(
            CalendarDay(
                calendar=calendar, on=day.on, kind=day.kind, segments=list(day.segments), title=day.title
            )
        )
    CalendarDay.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["calendar", "on", "kind"],
        update_fields=["segments", "title"],
    )
    return _changed(calendar)


@transaction.atomic
def remove_days(calendar: Calendar, dates: Iterable[date]) -> Calendar:
    """These days follow their week again."""
    CalendarDay.objects.filter(calendar=calendar, on__in=list(dates)).delete()
    return _changed(calendar)


def take_over(calendar: Calendar, *, country: str, year: int, like: str = "mon") -> Calendar:
    """Enters the published holidays and make-up days of a year; the latter have the hours of weekday `like`.

    Raises NotPublished.
    """
    kept = published(country, year)
    hours = calendar.week.get(like, [])
    holidays = (Day(on=on, kind=CalendarDay.Kind.HOLIDAY, title=name) for on, name in kept.holidays.items())
    made_up = (Day(on=on, kind=CalendarDay.Kind.MAKE_UP, segments=hours) for on in kept.make_up_days)
    return set_days(calendar, [*holidays, *made_up])


def _changed(row: Calendar) -> Calendar:
    Calendar.objects.filter(pk=row.pk).update(version=F("version") + 1)
    row.refresh_from_db()
    announce(CalendarChanged(calendar=row.pk, code=row.code, hospital=row.hospital, version=row.version))
    return row
