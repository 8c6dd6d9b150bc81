"""What the alarm room says. Each message is the alarm's whole state, so order does not matter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from wardkeeper.messages.base import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMessage(Message):
    """A snapshot of one alarm.

    alarm        its id; one alarm is one stretch of time in which the condition held
    version      counts up with each change; a lower one than already seen is old news
    severity     X.733 perceived_severity: critical, major, minor, warning, indeterminate, cleared
    condition    stable code, e.g. "interface.down"
    text         its English msgid, filled by `parameters` in any language
    place_path   ids from the hospital down, "1.4.17."
    """

    alarm: int
    version: int
    fingerprint: str
    condition: str
    text: str = ""
    parameters: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    severity: str
    state: str
    count: int
    hospital: int | None
    place: int | None
    place_path: str
    ci: int | None
    ci_name: str
    raised_at: datetime
    cleared_at: datetime | None = None

    @property
    def key(self) -> str:
        return str(self.alarm)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised(AlarmMessage):
    TOPIC: ClassVar[str] = "alarm.raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged(AlarmMessage):
    """Its severity, count or acknowledgement changed, or it came back within the reopen window."""

    TOPIC: ClassVar[str] = "alarm.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCleared(AlarmMessage):
    TOPIC: ClassVar[str] = "alarm.cleared"
