"""Who hears of what on the event streams: only ids and kinds, only to those who may see the thing itself.

Readers with the same rights form one audience, so that an event is judged once for all of
them; what happens within a fifth of a second goes out as one write.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wardkeeper.messages import AlarmMessage, ClockWarned, Message, RecordMessage
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import Scope

LOST = b"event: lost\ndata: {}\n\n"
"""Something was left out: the page should look at everything it shows."""
QUEUE_WRITES = 32
MOST_EVENTS = 100
"""More than this in one write tell a page no more than LOST does, and cost every reader."""


@dataclass(frozen=True, slots=True)
class Event:
    """kind and what go to the page as they are; `person` hears of it without any right, being the requester."""

    kind: str
    id: int
    number: str
    what: str
    right: Right
    place_path: str
    person: int | None = None

    def frame(self) -> bytes:
        """As it stands in the stream (HTML Standard, server-sent events)."""
        data = {"id": self.id, "number": self.number, "what": self.what}
        return f"event: {self.kind}\ndata: {json.dumps(data)}\n\n".encode()


def event_of(message: Message) -> Event | None:
    """None for what no page shows."""
    what = message.TOPIC.partition(".")[2]
    if isinstance(message, RecordMessage):
        return Event(
            "record",
            message.record,
            message.number,
            what,
            Right.RECORD_VIEW,
            message.place_path,
            message.requester,
        )
    if isinstance(message, AlarmMessage):
        return Event("alarm", message.alarm, "", what, Right.ALARM_VIEW, message.place_path)
    if isinstance(message, ClockWarned):
        return Event("clock", message.record, message.number, what, Right.RECORD_VIEW, message.place_path)
    return None


@dataclass(eq=False, slots=True)
class Listener:
    """One open stream. `scope` is replaced when rights change; None in the queue ends the stream."""

    scope: Scope
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_WRITES))

    def offer(self, write: bytes | None) -> None:
        """Never waits: a browser that does not read gets LOST instead of a backlog."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(LOST)
        self.queue.put_nowait(write)


type_rights = tuple[tuple[str, tuple[str, ...]], ...]


def _rights(paths: Mapping[str, tuple[str, ...]]) -> type_rights:
    watched = (Right.RECORD_VIEW, Right.ALARM_VIEW)
    return tuple((right, paths[right]) for right in watched if paths.get(right))


class Audiences:
    """All open streams of this process."""

    def __init__(self) -> None:
        self._by_rights: defaultdict[type_rights, set[Listener]] = defaultdict(set)
        self._by_person: defaultdict[int, set[Listener]] = defaultdict(set)
        self._waiting: dict[tuple[str, int, str], Event] = {}
        self._missed = False

    def __len__(self) -> int:
        return sum(len(listeners) for listeners in self._by_rights.values())

    def join(self, listener: Listener) -> None:
        self._by_rights[_rights(listener.scope.paths)].add(listener)
        if listener.scope.person is not None:
            self._by_person[listener.scope.person].add(listener)

    def leave(self, listener: Listener) -> None:
        rights = _rights(listener.scope.paths)
        self._by_rights[rights].discard(listener)
        if not self._by_rights[rights]:
            del self._by_rights[rights]
        person = listener.scope.person
        if person is not None:
            self._by_person[person].discard(listener)
            if not self._by_person[person]:
                del self._by_person[person]

    def hear(self, messages: Sequence[Message]) -> None:
        """Keeps what to tell until `tell`; an empty batch says that something was missed."""
        if not messages:
            self._missed = True
        for message in messages:
            if event := event_of(message):
                self._waiting[event.kind, event.id, event.what] = event

    def tell(self) -> None:
        """Writes what was heard since the last time to everybody whom it concerns."""
        events, missed = list(self._waiting.values()), self._missed
        self._waiting.clear()
        self._missed = False
        if missed or len(events) > MOST_EVENTS:
            for listeners in self._by_rights.values():
                for listener in listeners:
                    listener.offer(LOST)
            return
        if not events:
            return
        for rights, listeners in self._by_rights.items():
            write = _write(events, Scope(person=None, paths=dict(rights)))
            if write:
                for listener in listeners:
                    listener.offer(write)
        self._tell_requesters(events)

    def _tell_requesters(self, events: Iterable[Event]) -> None:
        for event in events:
            for listener in self._by_person.get(event.person or 0, ()):
                if not listener.scope.may(event.right, event.place_path):
                    listener.offer(event.frame())


def _write(events: Iterable[Event], scope: Scope) -> bytes:
    return b"".join(event.frame() for event in events if scope.may(event.right, event.place_path))
