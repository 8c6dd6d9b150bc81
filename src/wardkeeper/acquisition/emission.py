"""Between the adapters and the bus: one bounded queue, drained in batches, counted."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wardkeeper.acquisition.malformed import Keeper
from wardkeeper.messages import Message, ObservationsReceived

log = logging.getLogger(__name__)

BOUND = 50_000
"""Rows that may wait. About 1.5 kB each in memory: 75 MB at worst."""
BATCH = 256
"""Messages handed to the publisher at once."""
_RETRY_S = (0.1, 0.5, 2.0, 5.0)


class Publisher(Protocol):
    """`publish` returns when all messages are durable, on the bus or in the spool; raises OSError if neither."""

    async def publish(self, messages: Sequence[Message]) -> None: ...


@dataclass(slots=True)
class _Parcel:
    messages: Sequence[Message]
    weight: int
    done: asyncio.Future[None] | None


def _weight(message: Message) -> int:
    return len(message.times_ms) if isinstance(message, ObservationsReceived) else 1


class Outbound:
    """The queue. `run` drains it until cancelled; `flush` waits until it is empty.

    Nothing is ever thrown away here: past the bound `is_full` is true and listeners
    stop reading, so that the kernel's buffer, the sender or the poll's next slot waits.
    """

    def __init__(self, publisher: Publisher, *, bound: int = BOUND) -> None:
        self._publisher = publisher
        self._bound = bound
        self._parcels: deque[_Parcel] = deque()
        self._waiting = 0
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.published = 0
        self.trouble = ""

    @property
    def waiting(self) -> int:
        """Rows not yet durable."""
        return self._waiting

    @property
    def is_full(self) -> bool:
        return self._waiting >= self._bound

    def put(self, messages: Sequence[Message], done: asyncio.Future[None] | None = None) -> None:
        weight = sum(map(_weight, messages))
        self._parcels.append(_Parcel(messages, weight, done))
        self._waiting += weight
        self._something.set()
        self._empty.clear()
        if self.is_full:
            self._room.clear()

    async def room(self) -> None:
        await self._room.wait()

    async def flush(self) -> None:
        await self._empty.wait()

    async def run(self) -> None:
        while True:
            await self._something.wait()
            parcels = self._take()
            await self._publish([message for parcel in parcels for message in parcel.messages])
            for parcel in parcels:
                self._waiting -= parcel.weight
                self.published += parcel.weight
                if parcel.done is not None and not parcel.done.done():
                    parcel.done.set_result(None)
            if not self.is_full:
                self._room.set()
            if not self._parcels:
                self._something.clear()
                self._empty.set()

    def _take(self) -> list[_Parcel]:
        taken, size = [], 0
        while self._parcels and size < BATCH:
            taken.append(self._parcels.popleft())
            size += len(taken[-1].messages)
        return taken

    async def _publish(self, messages: list[Message]) -> None:
        attempt = 0
        while True:
            try:
                await self._publisher.publish(messages)
            except OSError as error:
                # Bus away and disk full: keep the batch, let the queue fill, try again.
                self.trouble = str(error)
                log.error("collect.publish_failed waiting=%d error=%s", self._waiting, error)  # noqa: TRY400 - one line, each retry
                await asyncio.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
                attempt += 1
            else:
                self.trouble = ""
                return


class AdapterEmit:
    """The PacedEmit of one adapter."""

    def __init__(self, *, collector: str, outbound: Outbound, counts: Counter[str], keeper: Keeper) -> None:
        self._collector = collector
        self._outbound = outbound
        self._counts = counts
        self._keeper = keeper

    @property
    def collector(self) -> str:
        return self._collector

    @property
    def is_full(self) -> bool:
        return self._outbound.is_full

    def __call__(self, message: Message) -> None:
        self._outbound.put((message,))

    def malformed(self, raw: bytes, source: str, reason: str) -> None:
        self._counts[f"malformed.{reason}"] += 1
        self._keeper.keep(raw, source, reason)

    def count(self, name: str, amount: int = 1) -> None:
        self._counts[name] += amount

    async def room(self) -> None:
        await self._outbound.room()

    async def durable(self, messages: Sequence[Message]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outbound.put(messages, done)
        await done
