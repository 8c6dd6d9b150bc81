"""The words that cross floors: frozen facts, named in the past tense, standard library only.

One module per speaker. A message is immutable, carries its own id (so that taking
effect twice can be noticed) and a key (messages with one key arrive in order).
"""

from wardkeeper.messages.alarm import AlarmChanged, AlarmCleared, AlarmMessage, AlarmRaised
from wardkeeper.messages.base import TOPICS, Message, new_id, now
from wardkeeper.messages.calendar import CalendarChanged
from wardkeeper.messages.collection import (
    CollectorStarted,
    Component,
    DeviceDescribed,
    ObservationReceived,
    ObservationsReceived,
    SamplesCollected,
    Target,
    TargetsAssigned,
)
from wardkeeper.messages.record import (
    ClockWarned,
    ContactLogged,
    RecordAssigned,
    RecordChanged,
    RecordMessage,
    RecordMoved,
    RecordOpened,
)

__all__ = [
    "TOPICS",
    "AlarmChanged",
    "AlarmCleared",
    "AlarmMessage",
    "AlarmRaised",
    "CalendarChanged",
    "ClockWarned",
    "CollectorStarted",
    "Component",
    "ContactLogged",
    "DeviceDescribed",
    "Message",
    "ObservationReceived",
    "ObservationsReceived",
    "RecordAssigned",
    "RecordChanged",
    "RecordMessage",
    "RecordMoved",
    "RecordOpened",
    "SamplesCollected",
    "Target",
    "TargetsAssigned",
    "new_id",
    "now",
]
