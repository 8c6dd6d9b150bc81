"""Listening sockets: the supervisor's, handed down so that a restart loses nothing, or our own."""

import asyncio
import fcntl
import json
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from wardkeeper.acquisition.contract import ConfigError, PacedEmit

Datagram = tuple[bytes, Any]
"""What recvfrom gives: the bytes and the sender's address."""
Transport = Literal["udp", "tcp"]

BUFFER_BYTES = 16 << 20
"""Receive buffer asked for; Linux grants twice that (socket(7)), if net.core.rmem_max or our rights allow.

A datagram of up to 500 B costs about 770 there: at 50,000 a second it bridges 0.8 s in which we do not run.
"""
_BACKLOG = 512
_SO_RCVBUFFORCE = 33
LARGEST_DATAGRAM = 65_535
BURST = 256
"""Datagrams read at once: at 15 us each, nobody else waits longer than 4 ms."""

_opened: dict[str, socket.socket] = {}


class Bound(Protocol):
    """What a listener's Config has. `host` may be "::" for both families."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


def opened() -> Mapping[str, socket.socket]:
    """The sockets of this process by "<adapter>:<transport>", for counting the kernel's drops."""
    return {name: each for name, each in _opened.items() if each.fileno() >= 0}


def listening(adapter: str, transport: Transport, config: Bound) -> socket.socket:
    """A bound, non-blocking socket; TCP is listening already.

    The one named in WARDKEEPER_SOCKETS ({"syslog:udp": 5}) if there is one: it is
    duplicated, so that closing ours after a failure leaves the supervisor's open for
    the next try. Raises ConfigError for a host that is no address of this machine, and
    OSError if the port is taken.
    """
    name = f"{adapter}:{transport}"
    inherited = json.loads(os.environ.get("WARDKEEPER_SOCKETS") or "{}").get(name)
    if inherited is not None:
        chosen = socket.socket(fileno=fcntl.fcntl(inherited, fcntl.F_DUPFD_CLOEXEC, 3))
    else:
        chosen = _bind(transport, config)
    chosen.setblocking(False)
    if transport == "udp":
        _widen(chosen)
    _opened[name] = chosen
    return chosen


def _bind(transport: Transport, config: Bound) -> socket.socket:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    try:
        family, *_, address = socket.getaddrinfo(
            config.host, config.port, type=kind, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )[0]
    except (socket.gaierror, OverflowError) as error:
        raise ConfigError(f"host {config.host!r} port {config.port}: {error}") from error
    bound = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if transport == "tcp":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        if transport == "tcp":
            bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"{config.host}:{config.port}/{transport}: {error.strerror}") from error
    return bound


def _widen(bound: socket.socket) -> None:
    """A receive buffer of BUFFER_BYTES, or as much of it as the system allows."""
    if bound.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= BUFFER_BYTES:
        return
    try:
        # Past net.core.rmem_max; needs CAP_NET_ADMIN.
        bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
    except PermissionError:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)


def plain(address: Any) -> str:
    """The address of a peer without port and zone; IPv4 as such also on a socket for both families."""
    host: str = address[0]
    return host.removeprefix("::ffff:").partition("%")[0]


async def drain(bound: socket.socket, handle: Callable[[list[Datagram]], None], emit: PacedEmit) -> None:
    """Hands the datagrams of `bound` to `handle` in bursts, until cancelled. Raises what `handle` raises.

    asyncio's datagram protocol tops out at 27,000 a second, one callback each; this
    reads until the socket is empty, at most BURST at a time, so that timers and other
    listeners have their turn. While `emit` is full it does not read, and the kernel
    keeps what comes, then drops and counts it.
    """
    while True:
        burst = _burst(bound)
        if burst:
            handle(burst)
        if emit.is_full:
            await emit.room()
        elif len(burst) == BURST:
            await asyncio.sleep(0)
        else:
            await readable(bound)


def _burst(bound: socket.socket) -> list[Datagram]:
    burst: list[Datagram] = []
    append, receive = burst.append, bound.recvfrom
    try:
        for _ in range(BURST):
            append(receive(LARGEST_DATAGRAM))
    except BlockingIOError:
        pass
    except ConnectionRefusedError:
        # An answer of ours met a closed port; Linux tells it at the next read (udp(7)).
        pass
    return burst


async def readable(bound: socket.socket) -> None:
    """Returns when there is something to read."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(bound, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(bound)


def _settle(ready: asyncio.Future[None]) -> None:
    # The loop may call twice before the reader is removed.
    if not ready.done():
        ready.set_result(None)
