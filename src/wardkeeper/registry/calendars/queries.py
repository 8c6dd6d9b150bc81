"""Reads calendars, and answers what would fall due when."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from wardkeeper.messages.sentence import InvalidField, gettext_noop
from wardkeeper.registry.calendars import form, wording
from wardkeeper.registry.calendars.builtin import builtin
from wardkeeper.registry.calendars.clock import BeyondHorizon, NoServiceTime, ServiceCalendar
from wardkeeper.registry.calendars.deadline import deadline
from wardkeeper.registry.calendars.explanation import explain
from wardkeeper.registry.calendars.models import Calendar, CalendarDay
from wardkeeper.settings import current


class CalendarNotFound(LookupError):
    """No calendar of this code, neither the hospital's nor everyone's nor a built-in one."""


_MOST_KEPT = 500
_kept: dict[tuple[int, int], ServiceCalendar] = {}
"""By (id, version): a version's content never changes, so what was computed on it stays right."""


def calendar_for(code: str, hospital: int | None = None) -> ServiceCalendar:
    """The hospital's own calendar of this code, else everyone's, else the built-in one.

    Raises CalendarNotFound.
    """
    own = Calendar.objects.filter(Q(hospital=hospital) | Q(hospital=None), code=code)
    row = own.order_by(F("hospital").asc(nulls_last=True)).first()
    if row is not None:
        return service_calendar(row)
    found = builtin(code, current().site.timezone)
    if found is None:
        raise CalendarNotFound(f"there is no calendar {code!r}")
    return found


def service_calendar(row: Calendar) -> ServiceCalendar:
    """A stored calendar, ready to compute with. Tables computed on it are kept until it changes."""
    known = _kept.get((row.pk, row.version))
    if known is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        known = _kept[row.pk, row.version] = _read(row)
    return known


def _read(row: Calendar) -> ServiceCalendar:
    days = list(row.days.all())
    return ServiceCalendar(
        row.timezone,
        form.parse_week(row.week, "week"),
        frozenset(day.on for day in days if day.kind == CalendarDay.Kind.HOLIDAY),
        {
            day.on: form.parse_segments(day.segments, f"{day.on}")
            for day in days
            if day.kind == CalendarDay.Kind.MAKE_UP
        },
    )


def answer_deadline(data: Any) -> dict[str, Any]:
    """The answer to `POST /api/v1/deadline`; the explanation is in the active language.

    `due` and the warnings are ISO 8601 in the calendar's zone; None while an open pause
    keeps them unknown. Warnings stand in the order asked for. Raises InvalidField.
    """
    asked = form.parse_deadline_request(data)
    try:
        result = deadline(asked.calendar, asked.start, asked.target, asked.pauses, asked.warnings)
    except NoServiceTime:
        raise InvalidField("calendar", gettext_noop("never opens, so nothing can fall due on it")) from None
    except BeyondHorizon:
        text = gettext_noop("is not reached within ten years of this calendar")
        raise InvalidField("target", text) from None
    reasons = explain(asked.calendar, asked.start, asked.target, asked.pauses, result)
    return {
        "due": _iso(result.due),
        "paused_s": _whole(result.paused_s),
        "warnings": [_iso(at) for at in result.warnings],
        "explanation": wording.say_all(reasons),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _whole(seconds: float) -> int | float:
    return int(seconds) if seconds == int(seconds) else seconds


def as_data(row: Calendar) -> Mapping[str, Any]:
    """A stored calendar in the form that `POST /api/v1/deadline` takes inline."""
    days = list(row.days.all())
    return {
        "timezone": row.timezone,
        "week": row.week,
        "holidays": sorted(f"{day.on}" for day in days if day.kind == CalendarDay.Kind.HOLIDAY),
        "make_up_days": {f"{day.on}": day.segments for day in days if day.kind == CalendarDay.Kind.MAKE_UP},
    }


def calendars(hospital_ids: Iterable[int] | None = None) -> QuerySet[Calendar]:
    """Everyone's calendars and those of these hospitals, with their days; all if none are named."""
    rows = Calendar.objects.prefetch_related("days")
    if hospital_ids is not None:
        rows = rows.filter(Q(hospital__in=list(hospital_ids)) | Q(hospital=None))
    return rows.order_by("code", "pk")
