"""What the calendars say."""

from dataclasses import dataclass
from typing import ClassVar

from wardkeeper.messages.base import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChanged(Message):
    """Service hours or days of a calendar are different now: what was computed on it must be computed anew.

    hospital  None: the calendar is everyone's
    """

    TOPIC: ClassVar[str] = "calendar.changed"

    calendar: int
    code: str
    hospital: int | None
    version: int

    @property
    def key(self) -> str:
        return str(self.calendar)
