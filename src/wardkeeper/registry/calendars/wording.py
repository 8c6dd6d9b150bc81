"""Puts sentences into the reader's language: Django's active one."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import get_language, gettext, gettext_noop

from wardkeeper.messages.sentence import Moment, Sentence, Span, Value

_WEEKDAYS = (
    gettext_noop("Mon"),
    gettext_noop("Tue"),
    gettext_noop("Wed"),
    gettext_noop("Thu"),
    gettext_noop("Fri"),
    gettext_noop("Sat"),
    gettext_noop("Sun"),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3_600, 60


def say(sentence: Sentence) -> str:
    text = gettext(sentence.msgid)
    if not sentence.values:
        return text
    return text % {name: _word(value) for name, value in sentence.values.items()}


def say_all(sentences: Iterable[Sentence]) -> str:
    """One paragraph: Chinese sets no space between sentences."""
    return ("" if _is_chinese() else " ").join(say(sentence) for sentence in sentences)


def span(seconds: int) -> str:
    """A length such as "4 h 30 min": the two largest units, seconds only below an hour."""
    parts = [
        (seconds // _DAY_S, gettext("%(n)s d")),
        (seconds % _DAY_S // _HOUR_S, gettext("%(n)s h")),
        (seconds % _HOUR_S // _MINUTE_S, gettext("%(n)s min")),
        (seconds % _MINUTE_S, gettext("%(n)s s")),
    ]
    shown = [text % {"n": n} for n, text in parts if n][:2]
    return " ".join(shown) or gettext("%(n)s min") % {"n": 0}


def _is_chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


def _word(value: Value) -> str:
    if isinstance(value, Span):
        return span(value.seconds)
    if isinstance(value, Moment):
        clock = f"{value.at:%H:%M:%S}" if value.at.second else f"{value.at:%H:%M}"
        day = _day(value.at) if value.dated else gettext(_WEEKDAYS[value.at.weekday()])
        return f"{day} {clock}"
    return _day(value) if isinstance(value, date) else str(value)


def _day(on: date) -> str:
    weekday = gettext(_WEEKDAYS[on.weekday()])
    if _is_chinese():
        return f"{on.month}月{on.day}日 {weekday}"
    return f"{weekday} {on.day} {_MONTHS[on.month - 1]}"
