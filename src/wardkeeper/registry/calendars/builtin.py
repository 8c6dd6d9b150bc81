"""The calendars that every installation has before anybody keeps one: round the clock, and office hours."""

from datetime import date
from functools import cache

from wardkeeper.registry.calendars.clock import Segment, Segments, ServiceCalendar
from wardkeeper.registry.calendars.published import published, years
from wardkeeper.registry.calendars.timetable import DAY_S

ALWAYS = "24x7"
SERVICE_HOURS = "service-hours"

_HOUR_S = 3_600
OFFICE_DAY = (Segment(8 * _HOUR_S, 12 * _HOUR_S), Segment(14 * _HOUR_S, 17 * _HOUR_S + _HOUR_S // 2))
"""08:00-12:00 and 14:00-17:30, the usual day of a hospital's offices and clinics."""


@cache
def builtin(code: str, timezone: str) -> ServiceCalendar | None:
    """The built-in calendar of this code; None if there is none."""
    if code == ALWAYS:
        # To 24:00, not 23:59:59: the days touch, and no second of the night is lost.
        return ServiceCalendar(timezone, ((Segment(0, DAY_S),),) * 7)
    if code != SERVICE_HOURS:
        return None
    holidays: set[date] = set()
    made_up: dict[date, Segments] = {}
    if timezone == "Asia/Shanghai":
        for year in years("cn"):
            kept = published("cn", year)
            holidays |= kept.holidays.keys()
            made_up |= dict.fromkeys(kept.make_up_days, OFFICE_DAY)
    return ServiceCalendar(timezone, (OFFICE_DAY,) * 5 + ((), ()), frozenset(holidays), made_up)
