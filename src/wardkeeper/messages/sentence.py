"""A fact in words before it has a language: an English msgid and what fills it.

Deep rooms explain themselves without knowing who reads. Whoever shows a sentence
puts it into the reader's language (`registry.calendars.wording.say`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, shown as "4 h 30 min"."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as the people of one place read it, shown as "Fri 16:30", with its date if asked for."""

    at: datetime
    dated: bool = False


Value = str | int | float | date | Span | Moment


@dataclass(frozen=True, slots=True)
class Sentence:
    """`msgid` has named places, "%(hours)s"; `values` fills them, each shown as its type asks."""

    msgid: str
    values: Mapping[str, Value] = field(default_factory=dict)


class InvalidField(ValueError):
    """Something handed in cannot be used. `field` is its path, `sentence` says what is wrong and allowed."""

    def __init__(self, field: str, msgid: str, **values: Value) -> None:
        super().__init__(f"{field}: {msgid % values if values else msgid}")
        self.field = field
        self.sentence = Sentence(msgid, values)


def gettext_noop(msgid: str) -> str:
    """Marks a text for translation where no translator is at hand; extraction knows the name."""
    return msgid
