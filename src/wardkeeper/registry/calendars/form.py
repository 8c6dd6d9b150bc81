"""Calendars and deadline questions as JSON says them. Pure: what is wrong is named by its path.

The same form stands in `POST /api/v1/deadline`, in the tables and in the files under `published/`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wardkeeper.messages.sentence import InvalidField, gettext_noop
from wardkeeper.registry.calendars.clock import HORIZON_YEARS, Segment, Segments, ServiceCalendar
from wardkeeper.registry.calendars.deadline import AtPercent, FromDue, Pause, Target, Warn
from wardkeeper.registry.calendars.timetable import DAY_S, instant, moment

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR, LAST_YEAR = 1970, 2200
MOST_SEGMENTS, MOST_DAYS, MOST_PAUSES, MOST_WARNINGS = 48, 5_000, 1_000, 100
_MOST_MINUTES = HORIZON_YEARS * 366 * 1_440
_MOST_PERCENT = 1_000
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SIGNED = re.compile(r"[+-]?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class DeadlineRequest:
    calendar: ServiceCalendar
    start: datetime
    target: Target
    pauses: tuple[Pause, ...] = ()
    warnings: tuple[Warn, ...] = ()


def parse_deadline_request(data: Any) -> DeadlineRequest:
    """Reads the body of `POST /api/v1/deadline`. Raises InvalidField."""
    body = _object(data, "", known=("calendar", "start", "target", "end_of_day", "pauses", "warnings"))
    for name in ("calendar", "start", "target"):
        if name not in body:
            raise InvalidField(name, gettext_noop("is missing"))
    calendar = parse_calendar(body["calendar"], "calendar")
    zone = calendar.zone
    return DeadlineRequest(
        calendar,
        _moment(body["start"], "start", zone),
        parse_target(body["target"], end_of_day=body.get("end_of_day")),
        tuple(
            _pause(item, f"pauses[{i}]", zone)
            for i, item in enumerate(_list(body.get("pauses"), "pauses", MOST_PAUSES))
        ),
        tuple(
            _warning(item, f"warnings[{i}]")
            for i, item in enumerate(_list(body.get("warnings"), "warnings", MOST_WARNINGS))
        ),
    )


def parse_calendar(data: Any, path: str = "calendar") -> ServiceCalendar:
    """Reads {"timezone", "week", "holidays", "make_up_days"}. Raises InvalidField."""
    body = _object(data, path, known=("timezone", "week", "holidays", "make_up_days"))
    if "timezone" not in body:
        raise InvalidField(f"{path}.timezone", gettext_noop("is missing"))
    holidays = body.get("holidays")
    if isinstance(holidays, Mapping):  # {date: title} says the same and names the day
        holidays = list(holidays)
    made_up = _object(body.get("make_up_days") or {}, f"{path}.make_up_days")
    if len(made_up) > MOST_DAYS:
        raise InvalidField(
            f"{path}.make_up_days", gettext_noop("has more than %(most)s items"), most=MOST_DAYS
        )
    return ServiceCalendar(
        parse_timezone(body["timezone"], f"{path}.timezone"),
        parse_week(body.get("week"), f"{path}.week"),
        frozenset(
            parse_date(item, f"{path}.holidays[{i}]")
            for i, item in enumerate(_list(holidays, f"{path}.holidays", MOST_DAYS))
        ),
        {
            parse_date(day, f"{path}.make_up_days.{day}"): parse_segments(
                segments, f"{path}.make_up_days.{day}"
            )
            for day, segments in made_up.items()
        },
    )


def parse_timezone(data: Any, path: str) -> str:
    try:
        return ZoneInfo(data).key
    # A folder of the zone database, a path out of it or no text at all: each fails in its own way.
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError):
        text = gettext_noop("is not a time zone; use an IANA name such as Asia/Shanghai")
        raise InvalidField(path, text) from None


def parse_week(data: Any, path: str) -> tuple[Segments, ...]:
    """Seven days from Monday; a day that is missing is closed."""
    week = _object(data or {}, path, known=WEEKDAYS)
    return tuple(parse_segments(week.get(day), f"{path}.{day}") for day in WEEKDAYS)


def parse_segments(data: Any, path: str) -> Segments:
    """[["08:00", "12:00"], ...]; an end that is not after its begin is on the next day."""
    return tuple(_segment(item, f"{path}[{i}]") for i, item in enumerate(_list(data, path, MOST_SEGMENTS)))


def _segment(data: Any, path: str) -> Segment:
    if not isinstance(data, list | tuple) or len(data) != 2:  # noqa: PLR2004 - begin and end
        raise InvalidField(path, gettext_noop('must be a pair such as ["08:00", "12:00"]'))
    begin, end = _second(data[0], f"{path}[0]"), _second(data[1], f"{path}[1]")
    if begin == DAY_S:
        raise InvalidField(f"{path}[0]", gettext_noop("must be before 24:00; write 00:00 of the next day"))
    return Segment(begin, end if end > begin else end + DAY_S)


def _second(data: Any, path: str) -> int:
    match = _TIME.fullmatch(data) if isinstance(data, str) else None
    if match is not None:
        hour, minute, second = (int(part or 0) for part in match.groups())
        if minute < 60 and second < 60 and hour * 3600 + minute * 60 + second <= DAY_S:  # noqa: PLR2004 - a clock's face
            return hour * 3600 + minute * 60 + second
    raise InvalidField(path, gettext_noop("must be a time from 00:00 to 24:00"))


def parse_date(data: Any, path: str) -> date:
    # fromisoformat alone would also take "20251001" and "2025-W40".
    if isinstance(data, str) and _DATE.fullmatch(data):
        try:
            day = date.fromisoformat(data)
        except ValueError:
            pass
        else:
            if FIRST_YEAR <= day.year <= LAST_YEAR + HORIZON_YEARS:
                return day
    raise InvalidField(path, gettext_noop("must be a date such as 2025-10-01"))


def _moment(data: Any, path: str, zone: ZoneInfo) -> datetime:
    """An ISO 8601 date and time; without an offset it is what the wall clock of the calendar shows."""
    text = gettext_noop("must be a date and time such as 2025-10-01T08:00:00+08:00")
    if not isinstance(data, str) or "T" not in data.replace(" ", "T").upper():
        raise InvalidField(path, text)
    try:
        at = datetime.fromisoformat(data)
    except ValueError:
        raise InvalidField(path, text) from None
    if not FIRST_YEAR < at.year < LAST_YEAR:
        raise InvalidField(
            path, gettext_noop("must lie between %(first)s and %(last)s"), first=FIRST_YEAR, last=LAST_YEAR
        )
    if at.tzinfo is not None:
        return at.astimezone(zone)
    second = at.hour * 3600 + at.minute * 60 + at.second
    return moment(instant(zone, at.date(), second) + at.microsecond, zone)


def parse_target(data: Any, path: str = "target", *, end_of_day: Any = None) -> Target:
    """Reads {"minutes" | "hours" | "days", "end_of_day"}. Raises InvalidField."""
    body = _object(data, path, known=("minutes", "hours", "days", "end_of_day"))
    place, closing = f"{path}.end_of_day", body.get("end_of_day")
    if closing is None:
        place, closing = "end_of_day", end_of_day
    if closing is not None and not isinstance(closing, bool):
        raise InvalidField(place, gettext_noop("must be true or false"))
    units = [unit for unit in ("minutes", "hours", "days") if body.get(unit) is not None]
    if len(units) != 1:
        raise InvalidField(path, gettext_noop("must have exactly one of minutes, hours and days"))
    unit, amount = units[0], body[units[0]]
    if closing and unit != "days":
        raise InvalidField(place, gettext_noop("goes with days only; minutes and hours are service time"))
    most = _MOST_MINUTES / {"minutes": 1, "hours": 60, "days": 1440}[unit]
    number = _number(amount, f"{path}.{unit}", least=0, most=most)
    if unit == "days":
        if number != int(number):
            raise InvalidField(
                f"{path}.days", gettext_noop("must be a whole number; use hours for parts of a day")
            )
        return Target(days=int(number), end_of_day=bool(closing))
    return Target(minutes=number * (60 if unit == "hours" else 1))


def _pause(data: Any, path: str, zone: ZoneInfo) -> Pause:
    if not isinstance(data, list | tuple) or len(data) != 2:  # noqa: PLR2004 - begin and end
        raise InvalidField(
            path, gettext_noop("must be a pair [from, to]; `to` is null while the clock stands")
        )
    begin = _moment(data[0], f"{path}[0]", zone)
    if data[1] is None:
        return Pause(begin)
    end = _moment(data[1], f"{path}[1]", zone)
    if end < begin:
        raise InvalidField(path, gettext_noop("ends before it begins"))
    return Pause(begin, end)


def _warning(data: Any, path: str) -> Warn:
    if isinstance(data, str):
        text = data.strip()
        if text.endswith("%") and _SIGNED.fullmatch(text[:-1].strip()):
            percent = float(text[:-1])
            return AtPercent(_number(percent, path, least=0, most=_MOST_PERCENT))
        if _SIGNED.fullmatch(text):
            data = float(text)
    if isinstance(data, str) or data is None:
        raise InvalidField(path, gettext_noop('must be minutes such as -30 or a share such as "75%"'))
    return FromDue(_number(data, path, least=-_MOST_MINUTES, most=_MOST_MINUTES))


def _number(data: Any, path: str, *, least: float, most: float) -> float:
    # bool is an int in Python: without this `true` would pass as one minute.
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise InvalidField(path, gettext_noop("must be a number"))
    if not least <= data <= most:
        text = gettext_noop("must be from %(least)s to %(most)s")
        raise InvalidField(path, text, least=f"{least:g}", most=f"{most:g}")
    return data


def _object(data: Any, path: str, known: tuple[str, ...] | None = None) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise InvalidField(path or "body", gettext_noop("must be an object"))
    for name in data:
        if known is not None and name not in known:
            where = f"{path}.{name}" if path else str(name)
            raise InvalidField(
                where, gettext_noop("is not known; allowed: %(allowed)s"), allowed=", ".join(known)
            )
    return data


def _list(data: Any, path: str, most: int) -> list[Any]:
    if data is None:
        return []
    if not isinstance(data, list | tuple):
        raise InvalidField(path, gettext_noop("must be a list"))
    if len(data) > most:
        raise InvalidField(path, gettext_noop("has more than %(most)s items"), most=most)
    return list(data)
