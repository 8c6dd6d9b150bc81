"""A small SNMP agent, v1 and v2c, fast because it encodes each answer once. For measuring and testing pollers only."""

import bisect
import contextlib
import multiprocessing
import select
import socket
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection

Oid = tuple[int, ...]
Encoded = bytes

GET, GET_NEXT, RESPONSE, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA5
NO_SUCH_INSTANCE, END_OF_MIB_VIEW = b"\x81\x00", b"\x82\x00"
_NO_SUCH_NAME = 2
_V1 = 0
_MOST_BYTES = 8192


def oid(written: str) -> Oid:
    return tuple(int(part) for part in written.split("."))


def integer(value: int, tag: int = 0x02) -> Encoded:
    """INTEGER; Counter32, Gauge32, TimeTicks and Counter64 by their tags 0x41, 0x42, 0x43, 0x46."""
    size = value.bit_length() // 8 + 1
    return _tlv(tag, value.to_bytes(size, "big", signed=True))


def string(value: bytes) -> Encoded:
    return _tlv(0x04, value)


def identifier(value: Oid) -> Encoded:
    content = bytearray((value[0] * 40 + value[1],))
    for part in value[2:]:
        septets = [part & 0x7F]
        while part := part >> 7:
            septets.append(part & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return _tlv(0x06, bytes(content))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 - X.690 8.1.3: the short form ends here
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _open(data: bytes, at: int) -> tuple[int, int, int]:
    """The element at `at`: its tag, where its content begins and ends. Raises IndexError if it is cut off."""
    tag, size, start = data[at], data[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[at + 2 : start], "big")
    if start + size > len(data):
        raise IndexError
    return tag, start, start + size


def _oid_of(content: bytes) -> Oid:
    parts, part = [*divmod(content[0], 40)], 0
    for byte in content[1:]:
        part = part << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(part)
            part = 0
    return tuple(parts)


class Agent:
    """Objects in order, and the answers made of them. `community` is the only one it listens to.

    requests  how many it has answered
    """

    def __init__(self, objects: Mapping[Oid, Encoded], *, community: bytes = b"public") -> None:
        self._objects = dict(objects)
        self._order = sorted(self._objects)
        self._community = community
        self._tails: dict[tuple[int, int, bytes], bytes] = {}
        self.requests = 0

    def set(self, changed: Mapping[Oid, Encoded]) -> None:
        """Gives objects new values, or adds them."""
        self._objects.update(changed)
        self._order = sorted(self._objects)
        self._tails.clear()

    def drop(self, prefix: Oid) -> None:
        """Takes away everything below `prefix`."""
        for name in [each for each in self._objects if each[: len(prefix)] == prefix]:
            del self._objects[name]
        self._order = sorted(self._objects)
        self._tails.clear()

    def answer(self, datagram: bytes) -> bytes | None:
        """The response, or None for what is no request of ours."""
        try:
            _, at, _ = _open(datagram, 0)
            _, start, at = _open(datagram, at)
            version = datagram[start]
            _, start, at = _open(datagram, at)
            if datagram[start:at] != self._community:
                return None
            kind, request, end = _open(datagram, at)
            _, _, after_id = _open(datagram, request)
            # A request differs from the last one of its kind only in its id, so what follows is the key.
            key = (version, kind, datagram[after_id:end])
            tail = self._tails.get(key) or self._tails.setdefault(key, self._tail(*key))
        except IndexError:
            return None
        self.requests += 1
        head = _tlv(0x04, self._community)
        pdu = datagram[request:after_id] + tail
        return _tlv(0x30, bytes((0x02, 0x01, version)) + head + _tlv(RESPONSE, pdu))

    def _tail(self, version: int, kind: int, rest: bytes) -> bytes:
        """Everything behind the request's id in the answer. Raises IndexError for what is no request."""
        _, first, at = _open(rest, 0)
        non_repeaters = int.from_bytes(rest[first:at], "big")
        _, second, at = _open(rest, at)
        repetitions = int.from_bytes(rest[second:at], "big")
        names = list(_names(rest, at))
        found: list[tuple[Oid, Encoded]] = []
        if kind == GET:
            found = [(name, self._objects.get(name, NO_SUCH_INSTANCE)) for name in names]
        elif kind == GET_NEXT:
            found = [self._next(name) for name in names]
        elif kind == GET_BULK:
            found = [self._next(name) for name in names[:non_repeaters]]
            cursors = names[non_repeaters:]
            for _ in range(repetitions):
                row = [self._next(name) for name in cursors]
                found += row
                cursors = [name for name, _ in row]
        lacking = next((n for n, (_, value) in enumerate(found, 1) if value[0] >= NO_SUCH_INSTANCE[0]), 0)
        if version == _V1 and lacking:
            # RFC 1157 4.1.2: one object that is not there refuses the whole request.
            return integer(_NO_SUCH_NAME) + integer(lacking) + rest[at:]
        bindings = b"".join(_tlv(0x30, identifier(name) + value) for name, value in found)
        return integer(0) + integer(0) + _tlv(0x30, bindings)

    def _next(self, name: Oid) -> tuple[Oid, Encoded]:
        at = bisect.bisect_right(self._order, name)
        if at == len(self._order):
            return name, END_OF_MIB_VIEW
        return self._order[at], self._objects[self._order[at]]


def _names(rest: bytes, at: int) -> Iterator[Oid]:
    _, at, end = _open(rest, at)
    while at < end:
        _, inner, at = _open(rest, at)
        _, start, stop = _open(rest, inner)
        yield _oid_of(rest[start:stop])


def switch(ports: int, *, name: bytes = b"bench", octets: int = 10**15) -> dict[Oid, Encoded]:
    """A switch with `ports` gigabit ports, all up, as ifTable and ifXTable show it."""
    objects = {
        oid("1.3.6.1.2.1.1.1.0"): string(b"Wardkeeper bench switch"),
        oid("1.3.6.1.2.1.1.2.0"): identifier(oid("1.3.6.1.4.1.8072.3.2.255")),
        oid("1.3.6.1.2.1.1.3.0"): integer(123_456, 0x43),
        oid("1.3.6.1.2.1.1.5.0"): string(name),
        oid("1.3.6.1.2.1.2.1.0"): integer(ports),
        oid("1.3.6.1.2.1.31.1.5.0"): integer(0, 0x43),
    }
    for port in range(1, ports + 1):
        table = (*oid("1.3.6.1.2.1.2.2.1"),)
        wide = (*oid("1.3.6.1.2.1.31.1.1.1"),)
        label = b"GigabitEthernet0/0/%d" % port
        for column, value in (
            *(
                (2, string(label)),
                (3, integer(6)),
                (5, integer(10**9, 0x42)),
                (7, integer(1)),
                (8, integer(1)),
            ),
            *((6, string(b"\x02\x00\x00\x00\x00" + bytes((port & 0xFF,)))),),
            *((each, integer((octets + port) % (1 << 32), 0x41)) for each in (10, 16)),
            *((each, integer(port, 0x41)) for each in (13, 14, 19, 20)),
        ):
            objects[(*table, column, port)] = value
        for column, value in (
            *((1, string(label)), (15, integer(1000, 0x42)), (18, string(b"port %d" % port))),
            *((each, integer(octets + port, 0x46)) for each in (6, 10)),
        ):
            objects[(*wide, column, port)] = value
    return objects


def serve(agent: Agent, sock: socket.socket, stop: Connection) -> None:
    """Answers until `stop` becomes readable or its other end is gone. Drains the socket in bursts."""
    sock.setblocking(False)
    while True:
        ready, _, _ = select.select([sock.fileno(), stop.fileno()], [], [])
        if stop.fileno() in ready:
            return
        with contextlib.suppress(BlockingIOError):
            for _ in range(1024):
                datagram, source = sock.recvfrom(_MOST_BYTES)
                response = agent.answer(datagram)
                if response is not None:
                    with contextlib.suppress(OSError):
                        sock.sendto(response, source)


def bound() -> socket.socket:
    """A UDP socket on a free port of loopback, with room for a burst."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind(("127.0.0.1", 0))
    return sock


@contextlib.contextmanager
def in_own_process(objects: Mapping[Oid, Encoded]) -> Iterator[int]:
    """Runs an agent beside us; gives its port. It ends with the block, and with us if we are killed."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    with bound() as sock:
        process = context.Process(target=_child, args=(objects, sock, mine, theirs), daemon=True)
        process.start()
        theirs.close()
        port = int(sock.getsockname()[1])
    try:
        yield port
    finally:
        mine.close()
        process.join(5)


def _child(
    objects: Mapping[Oid, Encoded], sock: socket.socket, parents: Connection, stop: Connection
) -> None:
    # A copy of the parent's end would keep the pipe open when the parent dies.
    parents.close()
    serve(Agent(objects), sock, stop)
