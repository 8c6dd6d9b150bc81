"""Syslog over TCP: connections with a bound on their number, their silence and their memory."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Protocol, cast

from wardkeeper.acquisition.adapters.syslog.framing import Frames
from wardkeeper.acquisition.contract import PacedEmit
from wardkeeper.acquisition.sockets import plain

_SHARE_OF_IDLE = 4


class Limits(Protocol):
    @property
    def longest_bytes(self) -> int: ...
    @property
    def most_connections(self) -> int: ...
    @property
    def idle_s(self) -> float: ...


class Connections:
    """All TCP senders. While `emit` is full nothing is read, so the senders wait and nothing is lost."""

    def __init__(self, limits: Limits, take: Callable[[Iterable[bytes], str], None], emit: PacedEmit) -> None:
        self.limits = limits
        self.take = take
        self.emit = emit
        self._open: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._resuming: asyncio.Task[None] | None = None

    async def start(self, bound: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), sock=bound)
        self._tasks.append(asyncio.create_task(self._close_silent(), name="syslog idle"))

    async def stop(self) -> None:
        for task in (*self._tasks, *([self._resuming] if self._resuming else [])):
            task.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._open):
            connection.close()

    def opened(self, connection: "Connection") -> None:
        self._open.add(connection)
        self.emit.count("connections_opened")
        if len(self._open) > self.limits.most_connections:
            min(self._open, key=lambda each: each.heard_at).close()
            self.emit.count("connections_evicted")

    def closed(self, connection: "Connection") -> None:
        self._open.discard(connection)

    def slow_down(self) -> None:
        """Stops reading from everybody until there is room."""
        for connection in self._open:
            connection.pause()
        if self._resuming is None or self._resuming.done():
            self._resuming = asyncio.create_task(self._resume(), name="syslog resume")

    async def _resume(self) -> None:
        await self.emit.room()
        for connection in self._open:
            connection.resume()

    async def _close_silent(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.idle_s / _SHARE_OF_IDLE)
            before = loop.time() - self.limits.idle_s
            for connection in [each for each in self._open if each.heard_at < before]:
                connection.close()
                self.emit.count("connections_idle")


class Connection(asyncio.Protocol):
    """One sender."""

    def __init__(self, connections: Connections) -> None:
        self._all = connections
        self._frames = Frames(connections.limits.longest_bytes)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._source = ""
        self._is_paused = False
        self.heard_at = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked by isinstance: uvloop's transports have the methods without the base class.
        self._transport = cast("asyncio.Transport", transport)
        self._source = plain(transport.get_extra_info("peername") or ("",))
        bound = transport.get_extra_info("socket")
        if bound is not None:
            # A peer that vanished without a word (power cut) is noticed after two hours, not after `idle_s`.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._all.opened(self)
        if self._all.emit.is_full:
            self._all.slow_down()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        before = self._frames.truncated
        frames = self._frames.feed(data)
        if self._frames.truncated != before:
            self._all.emit.count("truncated", self._frames.truncated - before)
        if frames:
            self._all.take(frames, self._source)
        if self._all.emit.is_full:
            self._all.slow_down()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        if self._frames.is_cut_short:
            self._all.emit.count("cut_short")
        last = self._frames.end()
        if last:
            self._all.take(last, self._source)
        self._all.closed(self)

    def pause(self) -> None:
        if self._transport is not None and not self._is_paused and not self._transport.is_closing():
            self._transport.pause_reading()
            self._is_paused = True

    def resume(self) -> None:
        if self._transport is not None and self._is_paused and not self._transport.is_closing():
            self._transport.resume_reading()
        self._is_paused = False

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
