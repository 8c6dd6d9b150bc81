"""When a device says it spoke."""

import re
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HALF_YEAR = 6
# RFC 5424, 6.2.3: at most six digits of a second, upper-case T and Z, no second 60.
_STANDARD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
_MONTH_FIRST = re.compile(
    r"(?:(?P<first_year>\d{4}) )?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2})(?: (?P<year>\d{4}))?"
    r" (?P<clock>\d\d:\d\d:\d\d)"
    r"(?:[.:](?P<part>\d{1,6}))?(?: (?P<late_year>\d{4}))? ?(?P<zone>[+-]\d\d:?\d\d|[A-Z]{2,5})?"
)


def standard_stamp(text: str) -> bool:
    """Whether `text` is a TIMESTAMP of RFC 5424 and a time that exists."""
    if _STANDARD.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def local_stamp(text: str, today: date, zone: ZoneInfo) -> str:
    """ISO 8601 with offset of a stamp in an old form; "" if there is no such time.

    Cached: at the rates that matter thousands of lines carry the same second.
    """
    found = _MONTH_FIRST.fullmatch(text)
    try:
        if found is None:
            when = datetime.fromisoformat(text.replace(",", ".").replace(" ", "T"))
        else:
            month = _MONTHS.index(found["month"]) + 1
            year = int(found["first_year"] or found["year"] or found["late_year"] or _year_of(month, today))
            part = "." + (found["part"] or "0").ljust(6, "0")
            offset = found["zone"] or ""
            # Names of zones mean different things in different lands (CST); only these two do not.
            offset = "+00:00" if offset in ("UTC", "GMT") else "" if offset.isalpha() else offset
            when = datetime.fromisoformat(
                f"{year:04}-{month:02}-{int(found['day']):02}T{found['clock']}{part}{offset}"
            )
    except ValueError:
        return ""
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone)
    try:
        return when.isoformat()
    except OverflowError:
        # Year 1 or 9999 with an offset that leaves the calendar.
        return ""


def _year_of(month: int, today: date) -> int:
    # RFC 3164 has no year. Around new year a December stamp seen in January belongs to
    # last year; without this it lands eleven months in the future. And a device whose
    # clock is a little ahead says January while we still have December.
    if month - today.month > _HALF_YEAR:
        return today.year - 1
    if today.month - month > _HALF_YEAR:
        return today.year + 1
    return today.year
