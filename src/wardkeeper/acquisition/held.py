"""Takes a datagram out of the kernel only when its fact is durable, so that even a killed collector loses none.

The supervisor holds the socket; its receive queue outlives this process. We look at the
queue's head (MSG_PEEK, and SO_PEEK_OFF to look further), publish, and only then receive.
A journal of one record says how far we were, so that the next process neither skips nor
doubles: it publishes a burst that was under way again under the same message ids, which
receivers recognise, and takes out one that was already durable.
"""

import os
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from wardkeeper.acquisition.contract import PacedEmit
from wardkeeper.acquisition.sockets import LARGEST_DATAGRAM, readable
from wardkeeper.messages import new_id

BURST = 512
"""Datagrams per burst. A kernel walks the queue from its head for each look, so more is not faster."""
_SO_PEEK_OFF = 42  # socket(7)
_SO_TIMESTAMPNS = 35
_ANCILLARY_BYTES = 64
_TIMESPEC = struct.Struct("@ll")
_RECORD = struct.Struct("<BQ16sIQ")
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """A datagram. `at_ns`: when the kernel got it, epoch nanoseconds; the same however often it is looked at."""

    raw: bytes
    address: Any
    at_ns: int


@dataclass(frozen=True, slots=True)
class Burst:
    """`message_id` gives the same ids when the burst is published again after a crash."""

    seed: UUID
    arrivals: list[Arrival]

    def message_id(self, number: int) -> str:
        return str(UUID(int=self.seed.int ^ number))


class Phase(IntEnum):
    IDLE = 0
    PUBLISHING = 1
    TAKING_OUT = 2


@dataclass(frozen=True, slots=True)
class Step:
    """Where we are: `count` datagrams at the queue's head under `seed`, the last of them arrived at `last_ns`."""

    phase: Phase
    socket_inode: int
    seed: UUID
    count: int
    last_ns: int


class Journal:
    """The last Step, in a file of one record.

    Written without flushing to disk: it must outlive this process, not the kernel,
    whose queue would be gone too.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, step: Step) -> None:
        record = _RECORD.pack(step.phase, step.socket_inode, step.seed.bytes, step.count, step.last_ns)
        os.pwrite(self._file, record, 0)

    def read(self) -> Step | None:
        record = os.pread(self._file, _RECORD.size, 0)
        if len(record) < _RECORD.size:
            return None
        phase, inode, seed, count, last_ns = _RECORD.unpack(record)
        return Step(Phase(phase), inode, UUID(bytes=seed), count, last_ns) if phase in list(Phase) else None

    def close(self) -> None:
        os.close(self._file)


class HeldQueue:
    """The receive queue of `bound`. `run` hands over bursts until cancelled.

    handle  returns when all that came of the burst is durable; cancelled or raising
            leaves the burst in the queue, for the next start
    On systems that cannot look ahead (not Linux) a datagram is received first, and a
    kill between that and the bus loses it.
    """

    def __init__(self, bound: socket.socket, journal: Journal) -> None:
        self._socket = bound
        self._journal = journal
        self._inode = os.fstat(bound.fileno()).st_ino
        bound.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        try:
            self._rewind()
        except OSError:
            self._can_peek = False
        else:
            self._can_peek = True

    async def run(self, handle: Callable[[Burst], Awaitable[None]], emit: PacedEmit) -> None:
        if self._can_peek:
            await self._resume(handle)
        while True:
            if emit.is_full:
                await emit.room()
            burst = Burst(UUID(new_id()), self._look(BURST))
            if burst.arrivals:
                await self._through(burst, handle)
                continue
            await readable(self._socket)
            if self._can_peek and not self._look(1):
                # An empty datagram that was looked at before hides from a second look.
                self._receive(0)

    async def _resume(self, handle: Callable[[Burst], Awaitable[None]]) -> None:
        step = self._journal.read()
        if step is None or step.socket_inode != self._inode:
            return
        if step.phase is Phase.PUBLISHING:
            await self._through(Burst(step.seed, self._look(step.count)), handle)
        elif step.phase is Phase.TAKING_OUT:
            count = step.count
            # Some may be out already: only the time of arrival tells.
            while count and (head := self._look(1)) and head[0].at_ns <= step.last_ns:
                count -= self._drop()

    async def _through(self, burst: Burst, handle: Callable[[Burst], Awaitable[None]]) -> None:
        arrivals = burst.arrivals
        if not arrivals:
            return
        step = Step(Phase.PUBLISHING, self._inode, burst.seed, len(arrivals), arrivals[-1].at_ns)
        if self._can_peek:
            self._journal.write(step)
        await handle(burst)
        if self._can_peek:
            self._journal.write(Step(Phase.TAKING_OUT, self._inode, burst.seed, step.count, step.last_ns))
            count = step.count
            while count:
                count -= self._drop()
            self._journal.write(Step(Phase.IDLE, self._inode, burst.seed, 0, 0))

    def _look(self, most: int) -> list[Arrival]:
        """Up to `most` from the head of the queue; they stay there."""
        found: list[Arrival] = []
        flags = 0
        if self._can_peek:
            self._rewind()
            flags = socket.MSG_PEEK
        while len(found) < most and (arrival := self._receive(LARGEST_DATAGRAM, flags)) is not None:
            if arrival.raw or not self._can_peek:
                found.append(arrival)
        return found

    def _drop(self) -> int:
        """Takes out the head; 1 if it was one that a look finds (not empty)."""
        return len(self._socket.recv(1))

    def _receive(self, size: int, flags: int = 0) -> Arrival | None:
        try:
            raw, ancillary, _, address = self._socket.recvmsg(size, _ANCILLARY_BYTES, flags)
        except BlockingIOError:
            return None
        except ConnectionRefusedError:
            # An answer of ours met a closed port; Linux tells it at the next read (udp(7)).
            return self._receive(size, flags)
        at_ns = 0
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, rest = _TIMESPEC.unpack_from(content)
                at_ns = seconds * _NS + rest
        return Arrival(raw, address, at_ns)

    def _rewind(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_PEEK_OFF, 0)
