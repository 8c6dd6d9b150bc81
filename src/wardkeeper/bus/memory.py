"""The carrier of unit tests: the same promises inside one process, nothing on disk."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Self

from wardkeeper.bus import bundle
from wardkeeper.bus.codec import seal, unseal
from wardkeeper.bus.consumer import Consumer, log_only
from wardkeeper.bus.contract import USUAL_RETRY, Batch, Bundle, Envelope, GroupTaken, Lag, Park, Retry
from wardkeeper.messages import Message


@dataclass(slots=True)
class _Log:
    """Entries from position 1; `first` is the oldest that is kept."""

    entries: dict[int, tuple[datetime, str, bytes]] = field(default_factory=dict)
    last: int = 0


@dataclass(slots=True)
class _Store:
    """What outlives a carrier, as a server's disk would."""

    logs: dict[str, _Log] = field(default_factory=dict)
    positions: dict[tuple[str, str], int] = field(default_factory=dict)
    readers: dict[tuple[str, str], object] = field(default_factory=dict)
    grown: asyncio.Condition = field(default_factory=asyncio.Condition)


@dataclass(slots=True)
class _MemoryReader:
    store: _Store
    group: str
    family: str
    topics: frozenset[str]
    _next: int = 0

    def __post_init__(self) -> None:
        self._next = self.store.positions.get((self.group, self.family), 0) + 1
        self.store.readers[self.group, self.family] = self

    async def fetch(self) -> Sequence[Bundle]:
        log = self.store.logs.setdefault(self.family, _Log())
        async with self.store.grown:
            await self.store.grown.wait_for(lambda: log.last >= self._next)
        found = []
        for position in range(self._next, log.last + 1):
            _, topic, raw = log.entries.get(position, (None, "", b""))
            if topic in self.topics:
                found.append(Bundle(self.family, position, bundle.unpack(raw)))
        self._next = log.last + 1
        return found

    async def commit(self, position: int) -> None:
        if self.store.readers[self.group, self.family] is not self:
            raise GroupTaken(f"{self.group}: another consumer has taken over")
        self.store.positions[self.group, self.family] = position

    async def close(self) -> None:
        """Nothing is held."""


class MemoryCarrier:
    """See `contract.Carrier`. Carriers of one address share one store."""

    _stores: ClassVar[dict[str, "MemoryCarrier"]] = {}

    def __init__(self) -> None:
        self._store = _Store()

    @classmethod
    def named(cls, url: str) -> "MemoryCarrier":
        return cls._stores.setdefault(url, cls())

    def reopened(self) -> Self:
        """Another carrier on the same store, as after a restart."""
        other = type(self)()
        other._store = self._store  # noqa: SLF001 - its own class
        return other

    async def publish(self, messages: Sequence[Message | Envelope]) -> None:
        sealed = [each if isinstance(each, Envelope) else seal(each) for each in messages]
        stored_at = datetime.now(UTC)
        async with self._store.grown:
            for (family, _), bundles in bundle.lanes(sealed).items():
                log = self._store.logs.setdefault(family, _Log())
                for envelopes in bundles:
                    log.last += 1
                    topic = envelopes[0].topic
                    log.entries[log.last] = (stored_at, topic, bundle.pack(topic, envelopes))
            self._store.grown.notify_all()

    def consume(
        self,
        group: str,
        topics: Sequence[type[Message]],
        *,
        batch: int = 200,
        retry: Retry = USUAL_RETRY,
        park: Park | None = None,
        stop: asyncio.Event | None = None,
    ) -> AsyncIterator[Batch]:
        names = frozenset(topic.TOPIC for topic in topics)
        readers = [
            _MemoryReader(self._store, group, family, names)
            for family in sorted(set(map(bundle.family_of, names)))
        ]
        return Consumer(group, readers, batch, retry, park or log_only, stop or asyncio.Event()).batches()

    async def tail(self, topics: Sequence[type[Message]]) -> AsyncIterator[Sequence[Message]]:
        names = frozenset(topic.TOPIC for topic in topics)
        logs = {
            family: self._store.logs.setdefault(family, _Log())
            for family in set(map(bundle.family_of, names))
        }
        seen = {family: log.last for family, log in logs.items()}
        while True:
            async with self._store.grown:
                await self._store.grown.wait_for(
                    lambda: any(log.last > seen[family] for family, log in logs.items())
                )
            fresh = [
                log.entries[position]
                for family, log in logs.items()
                for position in range(seen[family] + 1, log.last + 1)
                if position in log.entries
            ]
            seen.update({family: log.last for family, log in logs.items()})
            heard = [unseal(each) for _, topic, raw in fresh if topic in names for each in bundle.unpack(raw)]
            if heard:
                yield heard

    async def lag(self, group: str, topics: Sequence[type[Message]]) -> Lag:
        names = {topic.TOPIC for topic in topics}
        waiting = [
            stored_at
            for family in set(map(bundle.family_of, names))
            for position, (stored_at, topic, _) in self._store.logs.get(family, _Log()).entries.items()
            if topic in names and position > self._store.positions.get((group, family), 0)
        ]
        oldest_s = (datetime.now(UTC) - min(waiting)).total_seconds() if waiting else 0.0
        return Lag(len(waiting), oldest_s)

    async def trim(self, groups: Sequence[tuple[str, Sequence[type[Message]]]]) -> None:
        """Memory is short: everything that all are done with goes at once."""
        floors: dict[str, int] = {}
        for group, topics in groups:
            for family in {bundle.family_of(topic.TOPIC) for topic in topics}:
                position = self._store.positions.get((group, family), 0)
                floors[family] = min(position, floors.get(family, position))
        for family, floor in floors.items():
            log = self._store.logs.get(family, _Log())
            for position in [each for each in log.entries if each <= floor]:
                del log.entries[position]

    async def close(self) -> None:
        """Nothing is held."""
