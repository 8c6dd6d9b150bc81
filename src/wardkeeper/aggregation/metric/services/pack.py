"""Hot polls into blocks, blocks into roll-ups, old blocks away. Each step one small transaction.

Every step can be killed and repeated: a poll leaves the hot table in the transaction that puts
it into its block, and a window's roll-up is made anew from all of its samples.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial

import numpy as np
from django.db import connection, transaction

from wardkeeper.aggregation.metric import block, codec
from wardkeeper.aggregation.metric.block import Packed, Stats
from wardkeeper.aggregation.metric.codec import Floats, Integers
from wardkeeper.aggregation.metric.models import Block, Feed, Layout, Poll, RetentionRule, Series

PACK_AFTER_MS = 5 * 60_000
"""How long after its end an hour is packed: its last polls are in by then, save for late ones."""
FEEDS_AT_ONCE = 200
BLOCKS_AT_ONCE = 500
_LOCK = 0x5A3
"""First key of the advisory lock that keeps packing and rolling up of one feed apart."""

_TO_PACK = """
SELECT f.id FROM metric_feed f
WHERE f.id > %s AND EXISTS (SELECT FROM metric_poll p WHERE p.ci = f.ci AND p.time_ms < %s)
ORDER BY f.id LIMIT %s
"""
_OLDEST = "SELECT min(time_ms) FROM metric_poll WHERE ci = %s AND time_ms < %s AND layout_id = ANY(%s)"
_EXPIRED = """
DELETE FROM metric_block WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM metric_block
    WHERE retention_id = %s AND step_s = %s AND end_ms <= %s AND (step_s > 0 OR is_rolled) LIMIT %s
))
"""


def cutoff(now_ms: int) -> int:
    """Polls before it are packed: the start of an hour, because chains of polls end with the hour."""
    return (now_ms - PACK_AFTER_MS) // block.HOUR_MS * block.HOUR_MS


def pack(*, now_ms: int, seconds: float = 60) -> int:
    """Packs what is due, feed by feed; returns the number of polls. Stops early after `seconds`."""
    before, deadline, done, last = cutoff(now_ms), time.monotonic() + seconds, 0, 0
    while feeds := _feeds_to_pack(last, before):
        for feed in feeds:
            while packed := pack_window(feed, before):
                done += packed
                if time.monotonic() > deadline:
                    return done
        last = feeds[-1]
    return done


def _feeds_to_pack(after: int, before: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_TO_PACK, [after, before, FEEDS_AT_ONCE])
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def pack_window(feed_id: int, before: int) -> int:
    """The oldest window of a feed that has hot polls before `before`; returns how many were packed."""
    _exclude(feed_id)
    feed = Feed.objects.select_for_update().get(pk=feed_id)
    layouts = {layout.pk: layout for layout in Layout.objects.filter(feed=feed)}
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, [feed.ci, before, list(layouts)])
        oldest = cursor.fetchone()[0]
    if oldest is None:
        return 0
    start = block.start_of(oldest, block.RAW)
    end = min(start + block.LENGTH_MS[block.RAW], before)
    polls = Poll.objects.filter(ci=feed.ci, time_ms__gte=start, time_ms__lt=end, layout__in=list(layouts))
    by_layout: dict[int, list[codec.StoredPoll]] = {}
    for layout, time_ms, base_ms, data in polls.order_by("time_ms").values_list(
        "layout", "time_ms", "base_ms", "data"
    ):
        by_layout.setdefault(layout, []).append(codec.StoredPoll(time_ms, base_ms, bytes(data)))
    for pk, rows in by_layout.items():
        _merge(layouts[pk], start, rows)
    polls.delete()
    # From now on `store`, which waits for this feed's lock, writes nothing relative to what has gone.
    feed.packed_ms = max(feed.packed_ms, end)
    feed.save(update_fields=["packed_ms"])
    return sum(map(len, by_layout.values()))


def _exclude(feed_id: int) -> None:
    """Until the transaction ends no other job works on this feed's blocks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, feed_id % 2**31])


def _merge(layout: Layout, start: int, polls: Sequence[codec.StoredPoll]) -> None:
    """The window's block with `polls` in it; late ones find their place among those already packed."""
    times = np.array([poll.time_ms for poll in polls], np.int64)
    new = (times, codec.decode_polls(polls, codec.plan(bytes(layout.kinds))))
    old = read_raw(layout, start)
    times, values = block.union(old, new) if old else new
    _write(layout, block.RAW, start, partial(block.pack, times, values, width=len(layout.series)))


def read_raw(layout: Layout, start: int) -> tuple[Integers, Floats] | None:
    """Times and values (polls, columns) of one raw window, or None if nothing of it is packed."""
    rows = list(Block.objects.filter(layout=layout, step_s=block.RAW, start_ms=start))
    if not rows:
        return None
    times = codec.decode_times(bytes(rows[0].times))
    values = np.full((len(times), len(layout.series)), np.nan)
    for row in rows:
        block.unpack_into(values, _packed(row))
    return times, values


def _packed(row: Block) -> Packed:
    return Packed(bytes(row.times), row.ends, bytes(row.data))


def _write(layout: Layout, step_s: int, start: int, pack_columns: Callable[[Sequence[int]], Packed]) -> None:
    """Replaces a window's blocks: one for each retention rule that has columns in the layout."""
    Block.objects.filter(layout=layout, step_s=step_s, start_ms=start).delete()
    made = []
    for rule, columns in _by_retention(layout).items():
        packed = pack_columns(columns)
        made.append(
            Block(
                layout=layout,
                step_s=step_s,
                start_ms=start,
                end_ms=start + block.LENGTH_MS[step_s],
                retention_id=rule,
                times=packed.times,
                ends=packed.ends,
                data=packed.data,
            )
        )
    Block.objects.bulk_create(made)


def _by_retention(layout: Layout) -> dict[int, list[int]]:
    """Columns of a layout by the retention rule of their metric."""
    rules = list(RetentionRule.objects.order_by("position").values_list("pk", "pattern"))
    metrics = dict(Series.objects.filter(pk__in=layout.series).values_list("pk", "metric"))
    found: dict[int, list[int]] = {}
    for column, series in enumerate(layout.series):
        rule = next(pk for pk, pattern in rules if fnmatchcase(metrics[series], pattern))
        found.setdefault(rule, []).append(column)
    return found


def roll_up(*, now_ms: int, seconds: float = 60) -> int:
    """Rolls up raw windows that are complete; returns how many. Stops early after `seconds`."""
    deadline, done = time.monotonic() + seconds, 0
    for feed, layout, start in _to_roll(cutoff(now_ms)):
        roll_up_window(feed, layout, start)
        done += 1
        if time.monotonic() > deadline:
            break
    return done


def _to_roll(before: int) -> Iterator[tuple[int, int, int]]:
    """Feed, layout and start of windows that are to be rolled up, oldest first."""
    while True:
        due = Block.objects.filter(step_s=block.RAW, is_rolled=False, end_ms__lte=before).order_by("end_ms")
        found = list(due.values_list("layout__feed", "layout", "start_ms")[:BLOCKS_AT_ONCE])
        if not found:
            return
        yield from dict.fromkeys(found)


@transaction.atomic
def roll_up_window(feed_id: int, layout_id: int, start: int) -> None:
    """Makes the buckets of one raw window anew, in both steps."""
    _exclude(feed_id)
    layout = Layout.objects.get(pk=layout_id)
    raw = read_raw(layout, start)
    if raw is None:
        return
    width = len(layout.series)
    for step_s in (block.FIVE_MINUTES, block.HOUR):
        stats = block.roll_up(*raw, step_s)
        window = block.start_of(start, step_s)
        if old := _read_stats(layout, step_s, window):
            # A sample that came after its window's raw block had expired must not replace what
            # the roll-up knows of the others.
            stats = block.richer(old, stats)
        _write(layout, step_s, window, partial(block.pack_stats, stats, width=width))
    Block.objects.filter(layout=layout, step_s=block.RAW, start_ms=start).update(is_rolled=True)


def _read_stats(layout: Layout, step_s: int, start: int) -> Stats | None:
    rows = list(Block.objects.filter(layout=layout, step_s=step_s, start_ms=start))
    if not rows:
        return None
    stats = block.empty_stats(codec.decode_times(bytes(rows[0].times)), len(layout.series))
    for row in rows:
        block.unpack_stats_into(stats, _packed(row))
    return stats


def retain(*, now_ms: int, seconds: float = 60) -> int:
    """Deletes blocks that are older than their rule says; returns how many. Never one not yet rolled up."""
    deadline, done = time.monotonic() + seconds, 0
    for rule in RetentionRule.objects.all():
        kept_days = {
            block.RAW: rule.raw_days,
            block.FIVE_MINUTES: rule.five_minute_days,
            block.HOUR: rule.hour_days,
        }
        for step_s, days in kept_days.items():
            while gone := _expire(rule.pk, step_s, now_ms - days * block.DAY_MS):
                done += gone
                if time.monotonic() > deadline:
                    return done
    return done


def _expire(rule: int, step_s: int, before: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRED, [rule, step_s, before, BLOCKS_AT_ONCE])
        return int(cursor.rowcount)
