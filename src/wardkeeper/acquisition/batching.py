"""Gathers what each source says within a moment into one message."""

import asyncio
from collections.abc import Mapping

from wardkeeper.acquisition.contract import PacedEmit
from wardkeeper.messages import ObservationsReceived
from wardkeeper.messages.collection import type_scalar

FLUSH_S = 0.05
"""A lone trap waits this long at most."""
LONGEST_FLUSH_S = 0.5
_PER_SOURCE_S = 0.0005
"""With very many sources flushes come less often: at most 2,000 messages a second leave."""
ROWS = 500
LARGEST_BYTES = 300_000
"""Of raw input; with field names and as UTF-8 still under the bus's limit of 900,000."""


class _Gathered:
    __slots__ = ("fields", "kinds", "size", "times_ms")

    def __init__(self) -> None:
        self.times_ms: list[int] = []
        self.kinds: list[str] = []
        self.fields: list[Mapping[str, type_scalar]] = []
        self.size = 0


class Batcher:
    """`add` and `flush` keep the order within a source. `run` flushes on time until cancelled, then once more."""

    def __init__(self, adapter: str, emit: PacedEmit) -> None:
        self._adapter = adapter
        self._emit = emit
        self._by_source: dict[str, _Gathered] = {}
        self._something = asyncio.Event()

    def add(
        self, source: str, time_ms: int, kind: str, fields: Mapping[str, type_scalar], *, size: int
    ) -> None:
        """`size`: bytes that came in, to bound the message. Receiving time in epoch milliseconds."""
        gathered = self._by_source.get(source)
        if gathered is None:
            gathered = self._by_source[source] = _Gathered()
            self._something.set()
        elif gathered.size + size > LARGEST_BYTES or len(gathered.times_ms) >= ROWS:
            self._emit(self._message(source, gathered))
            gathered = self._by_source[source] = _Gathered()
        gathered.times_ms.append(time_ms)
        gathered.kinds.append(kind)
        gathered.fields.append(fields)
        gathered.size += size

    def take(self, source: str) -> list[ObservationsReceived]:
        """What is gathered of one source, taken out: for a caller who must wait until it is durable."""
        gathered = self._by_source.pop(source, None)
        return [self._message(source, gathered)] if gathered else []

    def flush(self) -> None:
        gathered, self._by_source = self._by_source, {}
        self._something.clear()
        for source, each in gathered.items():
            self._emit(self._message(source, each))

    async def run(self) -> None:
        try:
            while True:
                await self._something.wait()
                await asyncio.sleep(min(max(FLUSH_S, _PER_SOURCE_S * len(self._by_source)), LONGEST_FLUSH_S))
                self.flush()
        finally:
            self.flush()

    def _message(self, source: str, gathered: _Gathered) -> ObservationsReceived:
        return ObservationsReceived(
            collector=self._emit.collector,
            adapter=self._adapter,
            source=source,
            times_ms=tuple(gathered.times_ms),
            kinds=tuple(gathered.kinds),
            fields=tuple(gathered.fields),
        )
