"""Many polls as one block, each series compressed on its own, so that one is read without the rest. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wardkeeper.aggregation.metric import codec
from wardkeeper.aggregation.metric.codec import Floats, Integers

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
RAW, FIVE_MINUTES, HOUR = 0, 300, 3600
LENGTH_MS = {RAW: 6 * HOUR_MS, FIVE_MINUTES: DAY_MS, HOUR: 5 * DAY_MS}
"""Window of a block by its step: some hundred values a series, where pcodec stops getting better."""


def start_of(time_ms: int, step_s: int) -> int:
    """Start of the window that `time_ms` falls into."""
    return time_ms - time_ms % LENGTH_MS[step_s]


@dataclass(frozen=True, slots=True)
class Packed:
    """What `models.Block` stores: the shared times, where each column's slice ends, the slices."""

    times: bytes
    ends: list[int]
    data: bytes


@dataclass(frozen=True, slots=True)
class Stats:
    """Roll-up of one or many series; every array but `times_ms` has shape (buckets, ...).

    times_ms  start of each bucket
    count     answered samples; where it is 0 the others are NaN
    """

    times_ms: Integers
    count: Floats
    low: Floats
    high: Floats
    total: Floats
    last: Floats

    def arrays(self) -> tuple[Floats, ...]:
        return self.count, self.low, self.high, self.total, self.last


def pack(times_ms: Integers, values: Floats, columns: Sequence[int], width: int) -> Packed:
    """Raw samples, `values` of shape (polls, width); only `columns` are kept, the others get empty slices."""
    return _packed(times_ms, {at: codec.encode_track(values[:, at]) for at in columns}, width)


def pack_stats(stats: Stats, columns: Sequence[int], width: int) -> Packed:
    slices = {at: b"".join(codec.encode_track(array[:, at]) for array in stats.arrays()) for at in columns}
    return _packed(stats.times_ms, slices, width)


def _packed(times_ms: Integers, slices: dict[int, bytes], width: int) -> Packed:
    ends, parts, end = [], [], 0
    for at in range(width):
        part = slices.get(at, b"")
        end += len(part)
        ends.append(end)
        parts.append(part)
    return Packed(codec.encode_times(times_ms), ends, b"".join(parts))


def _bounds(ends: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip([0, *ends[:-1]], ends, strict=True))


def unpack_into(values: Floats, packed: Packed) -> None:
    """Writes its columns into `values` (polls, width)."""
    for at, (low, high) in enumerate(_bounds(packed.ends)):
        if high > low:
            values[:, at] = codec.decode_track(packed.data[low:high])


def empty_stats(times_ms: Integers, width: int) -> Stats:
    """Buckets that know nothing, shape (buckets, width); `unpack_stats_into` fills them."""
    shape = (len(times_ms), width)
    return Stats(times_ms, np.zeros(shape), *(np.full(shape, np.nan) for _ in range(4)))


def unpack_stats_into(stats: Stats, packed: Packed) -> None:
    """Writes its columns into `stats`, which has the same buckets."""
    for at, (low, high) in enumerate(_bounds(packed.ends)):
        if high > low:
            for array, column in zip(stats.arrays(), slice_stats(packed.data[low:high]), strict=True):
                array[:, at] = column


def slice_stats(data: bytes) -> Floats:
    """One series' slice of a roll-up: count, low, high, total, last, shape (5, buckets)."""
    return codec.decode_track(data).reshape(5, -1)


def union(old: tuple[Integers, Floats], new: tuple[Integers, Floats]) -> tuple[Integers, Floats]:
    """Both in order of time. A time that both have keeps the old values: a poll is stored once."""
    times = np.concatenate([old[0], new[0]])
    values = np.concatenate([old[1], new[1]])
    unique, first = np.unique(times, return_index=True)
    return unique, values[first]


def roll_up(times_ms: Integers, values: Floats, step_s: int) -> Stats:
    """Buckets of `step_s`, aligned to the epoch. `values` of shape (polls, series), times ascending."""
    step_ms = step_s * 1000
    buckets, starts = np.unique(times_ms - times_ms % step_ms, return_index=True)
    if not len(buckets):
        empty = np.empty((0, values.shape[1]))
        return Stats(buckets, empty, empty, empty, empty, empty)
    answered = ~np.isnan(values)
    count = np.add.reduceat(answered, starts, axis=0, dtype=np.float64)
    low = np.minimum.reduceat(np.where(answered, values, np.inf), starts, axis=0)
    high = np.maximum.reduceat(np.where(answered, values, -np.inf), starts, axis=0)
    with np.errstate(all="ignore"):
        total = np.add.reduceat(np.where(answered, values, 0.0), starts, axis=0)
    # The place of the newest answered sample so far; within a bucket that is its last one.
    place = np.maximum.accumulate(np.where(answered, np.arange(len(times_ms))[:, None], -1), axis=0)
    final = place[np.append(starts[1:], len(times_ms)) - 1]
    last = np.take_along_axis(values, np.maximum(final, 0), axis=0)
    none = count == 0
    for array in (low, high, total, last):
        array[none] = np.nan
    return Stats(buckets, count, low, high, total, last)


def coarser(stats: Stats, step_s: int) -> Stats:
    """Buckets of `step_s` made of finer ones. Same rules as `roll_up` on the samples themselves."""
    step_ms = step_s * 1000
    buckets, starts = np.unique(stats.times_ms - stats.times_ms % step_ms, return_index=True)
    if not len(buckets):
        return stats
    some = stats.count > 0
    count = np.add.reduceat(stats.count, starts, axis=0)
    low = np.minimum.reduceat(np.where(some, stats.low, np.inf), starts, axis=0)
    high = np.maximum.reduceat(np.where(some, stats.high, -np.inf), starts, axis=0)
    total = np.add.reduceat(np.where(some, stats.total, 0.0), starts, axis=0)
    positions = np.arange(len(stats.times_ms)).reshape((-1,) + (1,) * (stats.count.ndim - 1))
    place = np.maximum.accumulate(np.where(some, positions, -1), axis=0)
    final = place[np.append(starts[1:], len(stats.times_ms)) - 1]
    last = np.take_along_axis(stats.last, np.maximum(final, 0), axis=0)
    none = count == 0
    for array in (low, high, total, last):
        array[none] = np.nan
    return Stats(buckets, count, low, high, total, last)


def richer(first: Stats, second: Stats) -> Stats:
    """Of two accounts of the same series, for each bucket the one that knows more samples, else `second`."""
    times = np.union1d(first.times_ms, second.times_ms)
    old, new = _spread(first, times), _spread(second, times)
    better = new[0] >= old[0]
    return Stats(times, *(np.where(better, after, before) for before, after in zip(old, new, strict=True)))


def richest(accounts: Sequence[Stats]) -> Stats:
    """`richer` for any number of accounts of one series (arrays of one dimension), in one go."""
    if not accounts:
        return Stats(np.empty(0, np.int64), *(np.empty(0) for _ in range(5)))
    times = np.concatenate([account.times_ms for account in accounts])
    arrays = [np.concatenate(parts) for parts in zip(*(each.arrays() for each in accounts), strict=True)]
    if len(accounts) > 1 and not (times[1:] > times[:-1]).all():
        order = np.lexsort((arrays[0], times))  # stable: of equal counts the later account comes last
        times = times[order]
        chosen = np.flatnonzero(np.append(times[1:] != times[:-1], True))
        times, arrays = times[chosen], [array[order][chosen] for array in arrays]
    return Stats(times, *arrays)


def _spread(stats: Stats, times: Integers) -> list[Floats]:
    """Its arrays over all of `times`, with count 0 where it knows nothing."""
    places = np.searchsorted(times, stats.times_ms)
    found = []
    for empty, array in zip((0.0, np.nan, np.nan, np.nan, np.nan), stats.arrays(), strict=True):
        spread = np.full((len(times), *array.shape[1:]), empty)
        spread[places] = array
        found.append(spread)
    return found
