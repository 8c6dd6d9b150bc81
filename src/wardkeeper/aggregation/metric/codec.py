"""Float64 columns to bytes and back, bit for bit: NaN, -0.0 and infinities included. Pure.

Two forms. A *poll* is all values of one device at one moment; most of it repeats the poll
before, so it may be written relative to that one (`Reference`). A *track* is one series over
time. Both rest on pcodec, whose standalone files carry 10 bytes of wrapping; that is taken
off here (`_bare`), which also lets hundreds of polls be decoded by one call.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, DeltaSpec, standalone

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# A column's neighbours in a poll are other series: looking for deltas between them costs half
# the time and finds nothing.
_POLL = ChunkConfig(compression_level=4, delta_spec=DeltaSpec.no_op())
_TRACK = ChunkConfig(compression_level=4)

_EMPTY: bytes = bytes(standalone.simple_compress(np.empty(0, np.int64), ChunkConfig()))
_HEADER, _END = _EMPTY[:-1], _EMPTY[-1:]
_INNER = _HEADER[-2:]

_VERSION = 1
_PLAIN, _DECIMAL, _BYTES = 0, 1, 2
_SCALES = (0, 2, 4)
"""Powers of ten tried: whole numbers, hundredths (what most devices report), ten-thousandths."""
_EXACT = float(2**53)
_TINY = 3
"""Up to so many columns, eight bytes each are shorter than pcodec's own header."""


class Undecodable(Exception):
    """Stored bytes do not decode: damaged, or made by a newer program."""


def _bare(values: npt.NDArray[np.generic], config: ChunkConfig) -> bytes:
    """One pcodec chunk without the standalone file's header and end mark."""
    whole = standalone.simple_compress(values, config)
    # The header is magic, version, type, then the count with a 6-bit length before it, then the
    # inner format's two bytes. If pcodec ever moves them, this raises instead of writing rubbish.
    start = 8 + (6 + len(values).bit_length() + 7) // 8
    if whole[start - 2 : start] != _INNER or whole[-1:] != _END:
        raise Undecodable("pcodec changed its header")
    return bytes(whole[start:-1])


def _whole(chunks: Sequence[bytes]) -> npt.NDArray[np.generic]:
    found = standalone.simple_decompress(b"".join((_HEADER, *chunks, _END)))
    if found is None:
        raise Undecodable("empty chunk")
    return np.asarray(found)


@dataclass(frozen=True, slots=True)
class Plan:
    """How the columns of a layout are grouped; columns of one kind compress together.

    groups          column positions of each group, ascending; every column is in exactly one
    group_of        which group each column is in
    place_in_group  and where in it
    """

    width: int
    groups: tuple[npt.NDArray[np.intp], ...]
    group_of: npt.NDArray[np.intp]
    place_in_group: npt.NDArray[np.intp]


def plan(kinds: bytes) -> Plan:
    """`kinds` has one byte a column; equal bytes form a group."""
    codes = np.frombuffer(kinds, np.uint8)
    unique, group_of = np.unique(codes, return_inverse=True)
    groups = tuple(np.flatnonzero(codes == code) for code in unique)
    place = np.empty(len(codes), np.intp)
    for group in groups:
        place[group] = np.arange(len(group))
    return Plan(len(codes), groups, group_of.astype(np.intp), place)


@dataclass(frozen=True, slots=True)
class Reference:
    """The poll that the next one may be written relative to.

    tags      method and scale of each group
    integers  each group's values as scaled integers
    links     how many polls back the last self-contained one is
    """

    tags: tuple[int, ...]
    integers: tuple[Integers, ...]
    links: int


@dataclass(frozen=True, slots=True)
class Encoded:
    data: bytes
    is_relative: bool
    reference: Reference


def encode_poll(values: Floats, layout: Plan, previous: Reference | None = None) -> Encoded:
    """All values of one poll. Relative to `previous` if that fits every group, else self-contained."""
    with np.errstate(all="ignore"):
        cut = [
            _scaled(values[columns], previous.tags[at] if previous else None)
            for at, columns in enumerate(layout.groups)
        ]
    tags = tuple(tag for tag, _, _ in cut)
    base = previous if previous is not None and previous.tags == tags else None
    heads: list[int] = [_VERSION]
    bodies: list[bytes] = []
    kept: list[Integers] = []
    for at, (columns, (tag, whole, odd)) in enumerate(zip(layout.groups, cut, strict=True)):
        group = values[columns]
        if tag >> 4 == _DECIMAL:
            before = base.integers[at] if base else None
            if len(odd):
                whole[odd] = 0 if before is None else before[odd]
            body = _bare(whole if before is None else whole - before, _POLL)
            body += odd.astype("<u2").tobytes() + group[odd].astype("<f8").tobytes()
        elif tag >> 4 == _PLAIN:
            body = _bare(group, _POLL)
        else:
            body = group.astype("<f8").tobytes()
        kept.append(whole)
        heads += (tag, len(odd), len(body))
        bodies.append(body)
    reference = Reference(tags, tuple(kept), base.links + 1 if base else 0)
    return Encoded(_heading(len(cut)).pack(*heads) + b"".join(bodies), base is not None, reference)


_NONE = np.empty(0, np.intp)
_NO_INTEGERS = np.empty(0, np.int64)


def _scaled(group: Floats, hint: int | None) -> tuple[int, Integers, npt.NDArray[np.intp]]:
    """Tag, scaled integers, and the positions whose value is no such integer, of one group."""
    if len(group) <= _TINY:
        return _BYTES << 4, _NO_INTEGERS, _NONE
    first = (hint & 15,) if hint is not None and hint >> 4 == _DECIMAL else ()
    for scale in (*first, *_SCALES):
        factor = 10.0**scale
        whole = np.rint(group * factor)
        # -0.0 equals 0 but is not the same bits; NaN fails the first test, infinity the second.
        fits = (whole / factor == group) & (np.abs(whole) < _EXACT) & ((group != 0) | ~np.signbit(group))
        odd = np.flatnonzero(~fits)
        if len(odd) * 4 <= len(group):
            whole[odd] = 0
            return _DECIMAL << 4 | scale, whole.astype(np.int64), odd
    return _PLAIN << 4, _NO_INTEGERS, _NONE


@dataclass(frozen=True, slots=True)
class StoredPoll:
    """One hot row. `base_ms` is the time of the poll it is relative to, None if self-contained."""

    time_ms: int
    base_ms: int | None
    data: bytes


def decode_polls(polls: Sequence[StoredPoll], layout: Plan, columns: Sequence[int] | None = None) -> Floats:
    """Values of `polls` (ascending in time), shape (polls, columns), or all columns of the layout.

    Every poll's base must be among them. Only the groups that hold `columns` are decoded. Raises Undecodable.
    """
    wanted = range(layout.width) if columns is None else columns
    places: dict[int, list[int]] = {}
    for place, column in enumerate(wanted):
        places.setdefault(int(layout.group_of[column]), []).append(place)
    out = np.empty((len(polls), len(wanted)))
    order, starts = _chains(polls)
    heads = [_head(polls[at].data, len(layout.groups)) for at in order]
    for group, mine in places.items():
        rows = [_body(polls[at].data, head, group) for at, head in zip(order, heads, strict=True)]
        inside = layout.place_in_group[[wanted[place] for place in mine]]
        decoded = _group(rows, starts, inside, len(layout.groups[group]))
        out[order[:, None], np.array(mine, np.intp)] = decoded
    return out


def _chains(polls: Sequence[StoredPoll]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """An order in which each chain stands together, and for each of its places where the chain starts."""
    chain: dict[int, int] = {}
    for at, poll in enumerate(polls):
        if poll.base_ms is None:
            chain[poll.time_ms] = at
        elif poll.base_ms in chain:
            chain[poll.time_ms] = chain[poll.base_ms]
        else:
            raise Undecodable(f"poll at {poll.time_ms} is relative to {poll.base_ms}, which is missing")
    roots = np.array([chain[poll.time_ms] for poll in polls], np.intp)
    order = np.argsort(roots, kind="stable")
    sorted_roots = roots[order]
    return order, np.searchsorted(sorted_roots, sorted_roots)


@cache
def _heading(groups: int) -> struct.Struct:
    """Version, then tag, number of odd values and size of each group's body."""
    return struct.Struct("<B" + "BHI" * groups)


def _head(data: bytes, groups: int) -> tuple[int, ...]:
    heading = _heading(groups)
    if len(data) < heading.size:
        raise Undecodable(f"{len(data)} bytes are too few")
    head = heading.unpack_from(data)
    if head[0] != _VERSION:
        raise Undecodable(f"poll of version {head[0]}")
    if (announced := heading.size + sum(head[3::3])) != len(data):
        raise Undecodable(f"{len(data)} bytes where {announced} were announced")
    return head


def _body(data: bytes, head: tuple[int, ...], group: int) -> tuple[int, int, bytes]:
    """Tag, number of odd values and body of one group."""
    sizes = head[3::3]
    start = len(data) - sum(sizes[group:])
    return head[1 + 3 * group], head[2 + 3 * group], data[start : start + sizes[group]]


def _group(
    rows: list[tuple[int, int, bytes]],
    starts: npt.NDArray[np.intp],
    inside: npt.NDArray[np.intp],
    width: int,
) -> Floats:
    """The columns `inside` one group of `width` columns, of every poll, in chain order."""
    out = np.empty((len(rows), len(inside)))
    tags = np.array([tag for tag, _, _ in rows], np.uint8)
    for at in np.flatnonzero(tags >> 4 == _BYTES):
        out[at] = np.frombuffer(rows[at][2], "<f8")[inside]
    plain = np.flatnonzero(tags >> 4 == _PLAIN)
    if len(plain):
        out[plain] = _whole([rows[at][2] for at in plain]).reshape(-1, width)[:, inside]
    decimal = np.flatnonzero(tags >> 4 == _DECIMAL)
    if len(decimal):
        whole = np.zeros((len(rows), len(inside)), np.int64)
        whole[decimal] = _whole([_chunk(rows[at]) for at in decimal]).reshape(-1, width)[:, inside]
        # One running sum over all chains; what came before a chain's start is taken off again.
        total = np.cumsum(whole, axis=0)
        total -= (total - whole)[starts]
        out[decimal] = total[decimal] / (10.0 ** (tags[decimal] & 15))[:, None]
        _put_odd(out, rows, inside, width)
    return out


def _put_odd(
    out: Floats, rows: list[tuple[int, int, bytes]], inside: npt.NDArray[np.intp], width: int
) -> None:
    """The values that were no decimals, kept as they were."""
    for at, (tag, odd, body) in enumerate(rows):
        if odd and tag >> 4 == _DECIMAL:
            mark = np.zeros(width, np.bool_)
            values = np.empty(width)
            places = np.frombuffer(body[-10 * odd : -8 * odd], "<u2")
            mark[places] = True
            values[places] = np.frombuffer(body[-8 * odd :], "<f8")
            out[at] = np.where(mark[inside], values[inside], out[at])


def _chunk(row: tuple[int, int, bytes]) -> bytes:
    return row[2][: len(row[2]) - 10 * row[1]]


def encode_track(values: Floats) -> bytes:
    """One series over time; no values become no bytes."""
    return _bare(np.ascontiguousarray(values, np.float64), _TRACK) if len(values) else b""


def decode_track(data: bytes) -> Floats:
    return np.asarray(_whole([data]), np.float64) if data else np.empty(0)


def encode_times(times_ms: Integers) -> bytes:
    return _bare(np.ascontiguousarray(times_ms, np.int64), _TRACK) if len(times_ms) else b""


def decode_times(data: bytes) -> Integers:
    return np.asarray(_whole([data]), np.int64) if data else np.empty(0, np.int64)
