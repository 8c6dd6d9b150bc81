"""Samples in: a batch of messages becomes hot rows, states and conditions in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from django.db import connection, transaction

from wardkeeper.aggregation.alarm.condition import Condition
from wardkeeper.aggregation.metric import codec
from wardkeeper.aggregation.metric.codec import Floats, Reference
from wardkeeper.aggregation.metric.services import feeds, layouts, silence, watch
from wardkeeper.aggregation.metric.services.feeds import Held
from wardkeeper.aggregation.metric.services.layouts import Known
from wardkeeper.messages import SamplesCollected

HOUR_MS = 3_600_000
LONGEST_CHAIN = 30
"""Polls until the next self-contained one: what the newest value costs to read."""
FUTURE_MS = HOUR_MS
"""A poll further ahead than this is from a wrong clock: kept, but it must not make all true ones late."""
MOST_CACHED = 20_000

_last: dict[int, tuple[int, dict[int, tuple[int, Reference]]]] = {}
"""By feed: the newest poll that this process committed, and for each layout its last poll."""

_INSERT = """
INSERT INTO metric_poll (ci, time_ms, layout_id, base_ms, data)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[])
ON CONFLICT (ci, time_ms, layout_id) DO NOTHING
"""


class BadSamples(ValueError):
    """The matrix is not what the series and times announce."""


@dataclass(frozen=True, slots=True)
class Stored:
    """samples  values in the batch, repeated ones included"""

    samples: int
    polls: int
    conditions: list[Condition]


@dataclass(slots=True)
class _Rows:
    ci: list[int]
    time_ms: list[int]
    layout: list[int]
    base_ms: list[int | None]
    data: list[bytes]


def forget() -> None:
    """Empties this process's copies; for tests that start over with an empty database."""
    _last.clear()
    layouts.forget()
    watch.forget()


@transaction.atomic
def store(messages: Sequence[SamplesCollected], *, now_ms: int) -> Stored:
    """Stores a batch and finds what began or ceased to hold. Harmless to repeat, in whole or in part.

    A poll is known by CI, time and layout, so a repeated message needs no mark of its own.
    Statements: three, and at most eight more whatever the batch, for new series and changed states.
    Raises BadSamples, BadSeries: then nothing is stored.
    """
    held = feeds.lock(messages, now_ms=now_ms)
    asked = [(held[message.ci, message.target].id, message.ci, message.series) for message in messages]
    known = layouts.resolve(asked)
    rows = _Rows([], [], [], [], [])
    parts: list[watch.Part] = []
    marks = {feed.id: _mark(feed) for feed in held.values()}
    samples = 0
    for message, one in zip(messages, asked, strict=True):
        feed, layout = held[message.ci, message.target], known[one]
        values = matrix(message, len(layout.series))
        samples += values.size
        polls = (message.times_ms, values)
        fresh = _write(rows, feed, layout, polls, marks=marks[feed.id], now_ms=now_ms)
        if fresh.start < fresh.stop:
            parts.append(watch.Part(feed, layout, message.times_ms[fresh], values[fresh]))
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [rows.ci, rows.time_ms, rows.layout, rows.base_ms, rows.data])
    conditions = watch.evaluate(parts, now_ms=now_ms) + silence.ended(held.values(), now_ms=now_ms)
    feeds.move_on(list(held.values()), now_ms=now_ms)
    _remember({feed.id: (feed.polled_ms, marks[feed.id]) for feed in held.values()})
    return Stored(samples, len(rows.ci), conditions)


def matrix(message: SamplesCollected, width: int) -> Floats:
    """The message's values, shape (polls, columns). Raises BadSamples."""
    times = message.times_ms
    if not times or any(later <= earlier for earlier, later in pairwise(times)):
        raise BadSamples("times must ascend")
    if len(message.values) != 8 * width * len(times):
        raise BadSamples(f"{len(message.values)} bytes for {len(times)} polls of {width} columns")
    return np.frombuffer(message.values, "<f8").reshape(len(times), width)


def _mark(feed: Held) -> dict[int, tuple[int, Reference]]:
    """What new polls of the feed may be relative to: only what this process stored last of all."""
    kept = _last.get(feed.id)
    return dict(kept[1]) if kept is not None and kept[0] == feed.polled_ms and not feed.is_ahead else {}


def _write(
    rows: _Rows,
    feed: Held,
    layout: Known,
    message: tuple[tuple[int, ...], Floats],
    *,
    marks: dict[int, tuple[int, Reference]],
    now_ms: int,
) -> slice:
    """Adds the polls of one message to `rows`; returns which of them are newer than all before."""
    times, values = message
    first = next((at for at, time_ms in enumerate(times) if time_ms > feed.polled_ms), len(times))
    ahead = next((at for at, time_ms in enumerate(times) if time_ms > now_ms + FUTURE_MS), len(times))
    if ahead < len(times):
        feed.is_ahead = True
        marks.clear()
    for at, time_ms in enumerate(times):
        is_fresh = first <= at < ahead
        base = _base(marks.get(layout.id), time_ms, packed_ms=feed.packed_ms) if is_fresh else None
        encoded = codec.encode_poll(values[at], layout.plan, base[1] if base else None)
        rows.ci.append(feed.ci)
        rows.time_ms.append(time_ms)
        rows.layout.append(layout.id)
        rows.base_ms.append(base[0] if base and encoded.is_relative else None)
        rows.data.append(encoded.data)
        if is_fresh and not feed.is_ahead:
            marks[layout.id] = (time_ms, encoded.reference)
    if first < ahead:
        feed.polled_ms, feed.layout = times[ahead - 1], layout.id
    return slice(first, max(first, ahead))


def _base(
    last: tuple[int, Reference] | None, time_ms: int, *, packed_ms: int
) -> tuple[int, Reference] | None:
    """`last` if a poll at `time_ms` may be relative to it: not over the hour, because hours are packed apart,
    and not if it may be packed already. The feed's lock keeps `pack` away until this poll is committed.
    """
    if last is None or last[1].links >= LONGEST_CHAIN or last[0] < packed_ms:
        return None
    return last if last[0] // HOUR_MS == time_ms // HOUR_MS else None


def _remember(entries: dict[int, tuple[int, dict[int, tuple[int, Reference]]]]) -> None:
    # Only once committed: a poll that was rolled back is no base for another.
    def keep() -> None:
        while len(_last) > MOST_CACHED:
            del _last[next(iter(_last))]
        _last.update(entries)

    transaction.on_commit(keep)
