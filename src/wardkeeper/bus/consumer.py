"""The loop that both carriers share: reads logs, keeps order, decodes, retries, parks, stores positions."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from wardkeeper.bus.codec import Undecodable, unseal
from wardkeeper.bus.contract import Batch, GroupTaken, Park, Parked, Reader, Retry
from wardkeeper.bus.ending import end
from wardkeeper.bus.lanes import Item, Lanes
from wardkeeper.messages import Message

_log = logging.getLogger(__name__)

_COMMIT_EVERY_S = 0.1
"""A crash repeats at most this much; storing every position would cost a disk flush a batch."""

_LAST_COMMIT_S = 2.0

_MOST_HELD = 20_000
"""Messages that wait behind back-offs; beyond it reading stops until the first is parked."""


@dataclass(slots=True)
class OpenBatch:
    """A `contract.Batch`. Messages are told apart by identity: one may come twice in a batch."""

    messages: tuple[Message, ...]
    items: tuple[Item, ...]
    retried: dict[int, str] = field(default_factory=dict)
    parked: dict[int, str] = field(default_factory=dict)
    blocked: dict[tuple[str, str], int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Message]:
        for index, message in enumerate(self.messages):
            if self.items[index].lane not in self.blocked:
                yield message

    def retry(self, message: Message, error: str) -> None:
        index = self._index(message)
        self.retried[index] = error
        self.blocked.setdefault(self.items[index].lane, index)

    def park(self, message: Message, error: str) -> None:
        self.parked[self._index(message)] = error

    def _index(self, message: Message) -> int:
        for index, known in enumerate(self.messages):
            if known is message:
                return index
        raise ValueError(f"{message.TOPIC} {message.id} is not in this batch")


async def log_only(parked: Parked) -> None:
    _log.error(
        "bus.parked group=%s topic=%s id=%s tries=%d error=%s",
        parked.group,
        parked.envelope.topic,
        parked.envelope.id,
        parked.tries,
        parked.error,
    )


@dataclass(slots=True)
class Consumer:
    group: str
    readers: Sequence[Reader]
    batch: int
    retry: Retry
    park: Park
    stop: asyncio.Event
    lanes: Lanes = field(init=False)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)
    _committed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lanes = Lanes(self.retry, random.random)

    async def batches(self) -> AsyncIterator[Batch]:
        tasks = [asyncio.create_task(self._fill(reader)) for reader in self.readers]
        tasks.append(asyncio.create_task(self._commit_often()))
        tasks.append(asyncio.create_task(self._wake_on_stop()))
        for task in tasks:
            task.add_done_callback(lambda _: self._moved.set())
        try:
            while not self.stop.is_set():
                batch = await self._next(tasks)
                if batch.messages:
                    yield batch
                await self._settle(batch)
        finally:
            # The first failure has been raised by `_next`; a second one adds nothing.
            await end(*tasks)
            with suppress(GroupTaken, TimeoutError):
                async with asyncio.timeout(_LAST_COMMIT_S):
                    await self._commit()
            for reader in self.readers:
                await reader.close()

    async def _next(self, tasks: Sequence[asyncio.Task[None]]) -> OpenBatch:
        while True:
            for task in tasks:
                if task.done() and not self.stop.is_set():
                    task.result()
            items = self.lanes.take(self.batch, now=time.monotonic())
            if self.lanes.ready < self.batch and self.lanes.held < _MOST_HELD:
                self._room.set()
            if items or self.stop.is_set():
                return await self._open(items)
            self._moved.clear()
            due = self.lanes.next_due()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(
                    due and asyncio.get_running_loop().time() + due - time.monotonic()
                ):
                    await self._moved.wait()

    async def _open(self, items: Sequence[Item]) -> OpenBatch:
        messages: list[Message] = []
        readable: list[Item] = []
        for item in items:
            try:
                messages.append(unseal(item.envelope))
            except Undecodable as error:
                await self._put_aside(item, str(error))
            else:
                readable.append(item)
        return OpenBatch(tuple(messages), tuple(readable))

    async def _settle(self, batch: OpenBatch) -> None:
        now = time.monotonic()
        for index, item in enumerate(batch.items):
            first_failed = batch.blocked.get(item.lane)
            if index == first_failed:
                followers = [each for each in batch.items[index + 1 :] if each.lane == item.lane]
                if not self.lanes.fail(item, followers, now=now):
                    await self._put_aside(item, batch.retried[index])
            elif first_failed is not None and index > first_failed:
                continue
            elif index in batch.parked:
                await self._put_aside(item, batch.parked[index])
            else:
                self.lanes.done(item)
        self._settled.set()

    async def _put_aside(self, item: Item, error: str) -> None:
        # First kept, then counted as done: a failure in between brings the message again.
        await self.park(Parked(item.envelope, self.group, error, item.failures))
        self.lanes.done(item)

    async def _fill(self, reader: Reader) -> None:
        while True:
            await self._room.wait()
            for bundle in await reader.fetch():
                self.lanes.add(bundle)
            if self.lanes.ready >= self.batch or self.lanes.held >= _MOST_HELD:
                self._room.clear()
            self._moved.set()

    async def _commit_often(self) -> None:
        while True:
            await self._settled.wait()
            self._settled.clear()
            await self._commit()
            await asyncio.sleep(_COMMIT_EVERY_S)

    async def _commit(self) -> None:
        floors = self.lanes.floors()
        for reader in self.readers:
            position = floors.get(reader.family)
            if position is not None and position != self._committed.get(reader.family):
                await reader.commit(position)
                self._committed[reader.family] = position

    async def _wake_on_stop(self) -> None:
        await self.stop.wait()
        self._moved.set()
