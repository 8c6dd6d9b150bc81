"""What the ledger and the practices say about records."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from wardkeeper.messages.base import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMessage(Message):
    """Where a record stands after the fact. `version` counts up with each change of the record."""

    record: int
    number: str
    kind: str
    version: int
    hospital: int
    place_path: str
    state: str
    priority: int
    team: int | None = None
    assignee: int | None = None
    requester: int | None = None

    @property
    def key(self) -> str:
        return str(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOpened(RecordMessage):
    TOPIC: ClassVar[str] = "record.opened"

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMoved(RecordMessage):
    """`move` is the workflow's name for the step from `before` to `state`."""

    TOPIC: ClassVar[str] = "record.moved"

    before: str
    move: str
    actor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAssigned(RecordMessage):
    TOPIC: ClassVar[str] = "record.assigned"

    actor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChanged(RecordMessage):
    """Anything else: a comment, a field, a link, the priority. `changed` names what."""

    TOPIC: ClassVar[str] = "record.changed"

    changed: tuple[str, ...]
    actor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLogged(Message):
    """Somebody told the service desk something, through whatever channel."""

    TOPIC: ClassVar[str] = "desk.contact_logged"

    contact: int
    record: int | None
    channel: str

    @property
    def key(self) -> str:
        return str(self.contact)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockWarned(Message):
    """A service clock has used `percent` of its target."""

    TOPIC: ClassVar[str] = "sla.clock_warned"

    record: int
    number: str
    hospital: int
    place_path: str
    clock: str
    percent: int
    due_at: datetime

    @property
    def key(self) -> str:
        return str(self.record)
