"""Finds and decodes what `store` and `pack` wrote: hot polls, raw blocks, roll-ups. Nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from django.db import connection

from wardkeeper.aggregation.metric import block, codec
from wardkeeper.aggregation.metric.block import Stats
from wardkeeper.aggregation.metric.codec import Floats, Integers
from wardkeeper.aggregation.metric.models import Layout

Span = tuple[int, int]
"""Epoch milliseconds, half-open."""

_WHERE = """
SELECT l.id, f.ci, s.id, array_position(l.series, s.id) - 1
FROM metric_series s
JOIN metric_feed f ON f.ci = s.ci JOIN metric_layout l ON l.feed_id = f.id
WHERE s.id = ANY(%s) AND array_position(l.series, s.id) IS NOT NULL
"""
# Chains of polls begin with their hour at the latest.
_HOT = """
SELECT layout_id, time_ms, base_ms, data FROM metric_poll
WHERE ci = ANY(%s) AND time_ms >= %s AND time_ms < %s AND layout_id = ANY(%s)
ORDER BY layout_id, time_ms
"""
# `ends` counts from 1 in SQL, so ends[column] is where the column before ends: the slice's start.
_SLICES = """
SELECT b.layout_id, w.place, b.times, substring(
    b.data FROM 1 + coalesce(b.ends[w.place], 0) FOR b.ends[w.place + 1] - coalesce(b.ends[w.place], 0))
FROM unnest(%s::bigint[], %s::int[]) AS w (layout, place)
JOIN metric_block b ON b.layout_id = w.layout
WHERE b.step_s = %s AND b.start_ms >= %s AND b.start_ms < %s
  AND b.ends[w.place + 1] > coalesce(b.ends[w.place], 0)
ORDER BY b.start_ms
"""
_UNROLLED = """
SELECT min(at) FROM (
    SELECT min(start_ms) AS at FROM metric_block
    WHERE layout_id = ANY(%(layouts)s) AND step_s = 0 AND NOT is_rolled AND end_ms > %(start)s
    UNION ALL
    SELECT min(time_ms) FROM metric_poll WHERE ci = ANY(%(cis)s) AND time_ms >= %(start)s
) AS found
"""
_OLDEST = """
SELECT layout_id, min(start_ms) FROM metric_block WHERE layout_id = ANY(%s) AND step_s > 0 GROUP BY layout_id
"""
_NEWEST = """
SELECT l.id, p.time_ms, p.base_ms, p.data
FROM metric_feed f JOIN metric_layout l ON l.feed_id = f.id
CROSS JOIN LATERAL (
    SELECT time_ms, base_ms, data FROM metric_poll
    WHERE ci = f.ci AND layout_id = l.id ORDER BY time_ms DESC LIMIT %s
) AS p
WHERE f.ci = %s
ORDER BY l.id, p.time_ms
"""
_NEWEST_BLOCK = """
SELECT f.layout_id, b.times, b.ends, b.data
FROM metric_feed f
CROSS JOIN LATERAL (
    SELECT start_ms FROM metric_block WHERE layout_id = f.layout_id AND step_s = 0 ORDER BY start_ms DESC LIMIT 1
) AS newest
JOIN metric_block b ON b.layout_id = f.layout_id AND b.step_s = 0 AND b.start_ms = newest.start_ms
WHERE f.ci = %s AND NOT f.layout_id = ANY(%s)
"""
CHAIN = 32
"""More polls than a chain has (store.LONGEST_CHAIN)."""


class Place(NamedTuple):
    """Where one series stands: a column of a layout."""

    layout: int
    ci: int
    series: int
    column: int


@dataclass(slots=True)
class Source:
    """Where the wanted series are found. `oldest`: by layout, start of its first roll-up, read when asked."""

    series: list[int]
    places: list[Place]
    oldest: dict[int, int] | None = None

    def is_older(self, series: int, time_ms: int) -> bool:
        """Whether anything of the series may be kept from before `time_ms`."""
        if self.oldest is None:
            self.oldest = _oldest({place.layout for place in self.places})
        starts = [self.oldest.get(place.layout) for place in self.places if place.series == series]
        return any(start is not None and start < time_ms for start in starts)


def locate(series: Sequence[int]) -> Source:
    if not series:
        return Source([], [])
    with connection.cursor() as cursor:
        cursor.execute(_WHERE, [list(series)])
        return Source(list(series), [Place(*row) for row in cursor.fetchall()])


def _oldest(layouts: Iterable[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, [list(layouts)])
        return dict(cursor.fetchall())


@lru_cache(maxsize=4096)
def _layout(pk: int) -> tuple[tuple[int, ...], codec.Plan]:
    """Series and plan; a layout never changes."""
    row = Layout.objects.get(pk=pk)
    return tuple(row.series), codec.plan(bytes(row.kinds))


def raw(source: Source, span: Span) -> dict[int, tuple[Integers, Floats]]:
    """Times and values of each series as they came. Two statements."""
    pieces: dict[int, list[tuple[Integers, Floats]]] = {pk: [] for pk in source.series}
    for place, times, data in _slices(source, span, block.RAW):
        pieces[place.series].append((times, codec.decode_track(data)))
    for times, values, places in _hot(source, span):
        for at, place in enumerate(places):
            pieces[place.series].append((times, values[:, at]))
    return {pk: _joined(found, span) for pk, found in pieces.items()}


def _joined(pieces: list[tuple[Integers, Floats]], span: Span) -> tuple[Integers, Floats]:
    """In order of time, each time once, only what lies in the span."""
    if not pieces:
        return np.empty(0, np.int64), np.empty(0)
    times = np.concatenate([piece[0] for piece in pieces])
    values = np.concatenate([piece[1] for piece in pieces])
    if len(times) > 1 and not (times[1:] > times[:-1]).all():
        times, first = np.unique(times, return_index=True)
        values = values[first]
    low, high = np.searchsorted(times, span)
    return times[low:high], values[low:high]


def _hot(source: Source, span: Span) -> Iterable[tuple[Integers, Floats, list[Place]]]:
    places: dict[int, list[Place]] = {}
    for place in source.places:
        places.setdefault(place.layout, []).append(place)
    if not places:
        return
    cis = list({place.ci for place in source.places})
    from_hour = span[0] // block.HOUR_MS * block.HOUR_MS
    with connection.cursor() as cursor:
        cursor.execute(_HOT, [cis, from_hour, span[1], list(places)])
        rows = cursor.fetchall()
    start = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end][0] != rows[start][0]:
            layout = rows[start][0]
            polls = [codec.StoredPoll(row[1], row[2], bytes(row[3])) for row in rows[start:end]]
            times = np.array([poll.time_ms for poll in polls], np.int64)
            columns = [place.column for place in places[layout]]
            yield times, codec.decode_polls(polls, _layout(layout)[1], columns), places[layout]
            start = end


def _slices(source: Source, span: Span, step_s: int) -> Iterable[tuple[Place, Integers, bytes]]:
    """The compressed slice of each place in each window of the span, oldest first."""
    if not source.places:
        return
    by_key = {(place.layout, place.column): place for place in source.places}
    layouts, columns = map(list, zip(*by_key, strict=True))
    start = block.start_of(span[0], step_s)
    with connection.cursor() as cursor:
        cursor.execute(_SLICES, [layouts, columns, step_s, start, span[1]])
        rows = cursor.fetchall()
    times: dict[bytes, Integers] = {}
    for layout, column, packed, data in rows:
        stamp = bytes(packed)
        if stamp not in times:
            times[stamp] = codec.decode_times(stamp)
        yield by_key[layout, column], times[stamp], bytes(data)


def rolled(source: Source, span: Span, step_s: int) -> dict[int, Stats]:
    """Buckets of each series: from roll-ups, and from samples where those are not rolled up yet."""
    # The bucket that holds the start is wanted whole.
    span = (span[0] - span[0] % (step_s * 1000), span[1])
    pieces: dict[int, list[Stats]] = {pk: [] for pk in source.series}
    for place, times, data in _slices(source, span, step_s):
        pieces[place.series].append(Stats(times, *block.slice_stats(data)))
    since = _unrolled(source, span)
    if since is not None and since < span[1]:
        aligned = max(span[0], since - since % (step_s * 1000))
        for pk, stats in _rolled_now(raw(source, (aligned, span[1])), step_s):
            pieces[pk].append(stats)
    return {pk: _cut(block.richest(found), span) for pk, found in pieces.items()}


def _rolled_now(tracks: dict[int, tuple[Integers, Floats]], step_s: int) -> Iterable[tuple[int, Stats]]:
    """Buckets of samples that are not rolled up yet. Series of one device share their times and are rolled
    up together, which is what makes a ranking of thousands quick.
    """
    together: dict[bytes, list[int]] = {}
    for pk, (times, _) in tracks.items():
        together.setdefault(times.tobytes(), []).append(pk)
    for group in together.values():
        values = np.column_stack([tracks[pk][1] for pk in group])
        stats = block.roll_up(tracks[group[0]][0], values, step_s)
        for at, pk in enumerate(group):
            yield pk, Stats(stats.times_ms, *(array[:, at] for array in stats.arrays()))


def blocks_only(source: Source, series: int, span: Span, step_s: int) -> Stats:
    """What the roll-ups know of one series in the span."""
    places = [place for place in source.places if place.series == series]
    slices = _slices(Source([series], places), span, step_s)
    return _cut(block.richest([Stats(times, *block.slice_stats(data)) for _, times, data in slices]), span)


def _cut(stats: Stats, span: Span) -> Stats:
    low, high = np.searchsorted(stats.times_ms, span)
    return Stats(stats.times_ms[low:high], *(array[low:high] for array in stats.arrays()))


def _unrolled(source: Source, span: Span) -> int | None:
    """From when on samples of the span are not in the roll-ups."""
    layouts, cis = {place.layout for place in source.places}, {place.ci for place in source.places}
    with connection.cursor() as cursor:
        cursor.execute(_UNROLLED, {"layouts": list(layouts), "cis": list(cis), "start": span[0]})
        found: int | None = cursor.fetchone()[0]
    return found


def latest(ci: int) -> dict[int, tuple[int, float]]:
    """The newest sample of each series of a CI. Two statements."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [CHAIN, ci])
        rows = cursor.fetchall()
        cursor.execute(_NEWEST_BLOCK, [ci, list({row[0] for row in rows})])
        older = cursor.fetchall()
    found: dict[int, tuple[int, float]] = {}
    for layout, times, ends, data in older:
        packed = block.Packed(bytes(times), ends, bytes(data))
        stamps = codec.decode_times(packed.times)
        values = np.full((len(stamps), len(ends)), np.nan)
        block.unpack_into(values, packed)
        _newest(found, _layout(layout)[0], int(stamps[-1]), values[-1])
    by_layout: dict[int, list[codec.StoredPoll]] = {}
    for layout, time_ms, base_ms, data in rows:
        by_layout.setdefault(layout, []).append(codec.StoredPoll(time_ms, base_ms, bytes(data)))
    for layout, polls in by_layout.items():
        series, plan = _layout(layout)
        values = codec.decode_polls(_chain(polls), plan)
        _newest(found, series, polls[-1].time_ms, values[-1])
    return found


def _chain(polls: Sequence[codec.StoredPoll]) -> list[codec.StoredPoll]:
    """The last poll and those it rests on, oldest first."""
    by_time = {poll.time_ms: poll for poll in polls}
    chain = [polls[-1]]
    while (base := chain[-1].base_ms) is not None:
        chain.append(by_time[base])
    return chain[::-1]


def _newest(found: dict[int, tuple[int, float]], series: Sequence[int], time_ms: int, values: Floats) -> None:
    for pk, value in zip(series, values.tolist(), strict=True):
        if pk not in found or found[pk][0] < time_ms:
            found[pk] = (time_ms, value)
