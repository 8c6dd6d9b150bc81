"""Gathers what each source says within a moment into one message."""

import asyncio
from collections.abc import Callable, Mapping

from wardkeeper.acquisition.contract import PacedEmit
from wardkeeper.messages import ObservationsReceived, new_id
from wardkeeper.messages.collection import type_scalar

FLUSH_S = 0.05
"""A lone line waits this long at most."""
LONGEST_FLUSH_S = 0.5
_PER_SOURCE_S = 0.0005
"""With very many sources flushes come less often: at most 2,000 messages a second leave."""
ROWS = 500
LARGEST_BYTES = 300_000
"""Of raw input; with field names and as UTF-8 still under the bus's limit of 900,000."""


class _Rows:
    __slots__ = ("fields", "kinds", "size", "source", "times_ms")

    def __init__(self, source: str) -> None:
        self.source = source
        self.times_ms: list[int] = []
        self.kinds: list[str] = []
        self.fields: list[Mapping[str, type_scalar]] = []
        self.size = 0


class Gathering:
    """Rows by source, in order. `message_id(n)` names the n-th message; by default any new id."""

    def __init__(
        self, adapter: str, collector: str, message_id: Callable[[int], str] = lambda _: new_id()
    ) -> None:
        self._adapter = adapter
        self._collector = collector
        self._message_id = message_id
        self._by_source: dict[str, _Rows] = {}
        self._complete: list[_Rows] = []

    @property
    def sources(self) -> int:
        return len(self._by_source)

    @property
    def is_long(self) -> bool:
        """Whether some source has filled a message."""
        return bool(self._complete)

    def add(
        self, source: str, time_ms: int, kind: str, fields: Mapping[str, type_scalar], *, size: int
    ) -> None:
        """`size`: bytes that came in, to bound the message. Receiving time in epoch milliseconds."""
        rows = self._by_source.get(source)
        if rows is None:
            rows = self._by_source[source] = _Rows(source)
        elif rows.size + size > LARGEST_BYTES or len(rows.times_ms) >= ROWS:
            self._complete.append(rows)
            rows = self._by_source[source] = _Rows(source)
        rows.times_ms.append(time_ms)
        rows.kinds.append(kind)
        rows.fields.append(fields)
        rows.size += size

    def messages(self) -> list[ObservationsReceived]:
        """What is gathered, taken out."""
        every = [*self._complete, *self._by_source.values()]
        self._complete, self._by_source = [], {}
        return [
            ObservationsReceived(
                id=self._message_id(number),
                collector=self._collector,
                adapter=self._adapter,
                source=rows.source,
                times_ms=tuple(rows.times_ms),
                kinds=tuple(rows.kinds),
                fields=tuple(rows.fields),
            )
            for number, rows in enumerate(every)
        ]


class Batcher:
    """Gathers for a moment, then emits. `run` flushes on time until cancelled, then once more."""

    def __init__(self, adapter: str, emit: PacedEmit) -> None:
        self._emit = emit
        self._gathering = Gathering(adapter, emit.collector)
        self._something = asyncio.Event()

    def add(
        self, source: str, time_ms: int, kind: str, fields: Mapping[str, type_scalar], *, size: int
    ) -> None:
        """As Gathering.add."""
        self._gathering.add(source, time_ms, kind, fields, size=size)
        if not self._something.is_set():
            self._something.set()

    def flush(self) -> None:
        self._something.clear()
        for message in self._gathering.messages():
            self._emit(message)

    async def run(self) -> None:
        try:
            while True:
                await self._something.wait()
                await asyncio.sleep(
                    min(max(FLUSH_S, _PER_SOURCE_S * self._gathering.sources), LONGEST_FLUSH_S)
                )
                self.flush()
        finally:
            self.flush()
