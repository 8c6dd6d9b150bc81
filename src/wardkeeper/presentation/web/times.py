"""Times as a reader wants them: near ones relative, far ones absolute, always in the hospital's zone.

`base.js` goes on counting with the same patterns, which it gets as data attributes.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

PATTERNS = {
    "now": _("just now"),
    "ago-m": _("{m} min ago"),
    "ago-h": _("{h} h ago"),
    "left-m": _("{m} min left"),
    "left-h": _("{h} h {m} min left"),
    "left-d": _("{d} d {h} h left"),
    "over-m": _("{m} min over"),
    "over-h": _("{h} h {m} min over"),
    "over-d": _("{d} d {h} h over"),
}
_DAY_S = 86_400
_HOUR_S = 3_600


def patterns() -> dict[str, str]:
    """The reader's language's patterns; {d}, {h} and {m} are filled with whole numbers."""
    return {name: gettext(text) for name, text in PATTERNS.items()}


def exact(at: datetime) -> str:
    """To the minute with its date, "2026-11-22 18:30"."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def short(at: datetime, now: datetime) -> str:
    """Today's without a date, this year's without a year."""
    local, today = timezone.localtime(at), timezone.localtime(now)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    chinese = (get_language() or "zh").startswith("zh")
    day = f"{local:%m-%d}" if chinese else f"{local.day} {local:%b}"
    if local.year != today.year:
        day = f"{local:%Y-%m-%d}" if chinese else f"{day} {local.year}"
    return f"{day} {local:%H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """Within a day "12 min ago", else the short absolute time."""
    seconds = int((now - at).total_seconds())
    if not 0 <= seconds < _DAY_S:
        return short(at, now)
    if seconds < 60:  # noqa: PLR2004 - a minute
        return _say("now")
    if seconds < _HOUR_S:
        return _say("ago-m", m=seconds // 60)
    return _say("ago-h", h=seconds // _HOUR_S)


def _say(name: str, **numbers: int) -> str:
    pattern = PATTERNS[name]
    return gettext(pattern).format(**numbers)


def left(due: datetime, now: datetime) -> str:
    """Such as "14 min left" or "3 min over". A deadline is over from its own second on."""
    seconds = int((due - now).total_seconds())
    side = "left" if seconds > 0 else "over"
    seconds = abs(seconds)
    unit = "m" if seconds < _HOUR_S else "h" if seconds < _DAY_S else "d"
    hours = seconds % _DAY_S // _HOUR_S if unit == "d" else seconds // _HOUR_S
    return _say(f"{side}-{unit}", d=seconds // _DAY_S, h=hours, m=seconds % _HOUR_S // 60)
