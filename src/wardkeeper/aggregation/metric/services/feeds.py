"""Feeds: found or made, locked while a batch is stored, moved on at its end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from wardkeeper.messages import SamplesCollected

Key = tuple[int, str]
"""CI and target."""

# The rules' revision rides along: a sub-select on an indexed column costs nothing and saves a statement.
_LOCK = """
SELECT f.id, f.ci, f.target, coalesce(f.polled_ms, 0) AS polled_ms, f.is_silent, f.is_ahead, f.packed_ms,
       f.revision,
       (SELECT coalesce(max(revision), 0) FROM metric_thresholdrule) AS rules
FROM metric_feed f
JOIN unnest(%s::bigint[], %s::text[]) AS asked (ci, target) ON f.ci = asked.ci AND f.target = asked.target
ORDER BY f.id FOR UPDATE OF f
"""
_MAKE = """
INSERT INTO metric_feed
    (ci, target, collector, interval_s, watched_ms, packed_ms, is_watched, is_silent, is_ahead, revision)
SELECT ci, target, collector, interval_s, %s, 0, true, false, false, 0
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::float8[]) AS new (ci, target, collector, interval_s)
ORDER BY ci, target
ON CONFLICT (ci, target) DO NOTHING
"""
_MOVE_ON = """
UPDATE metric_feed f
SET polled_ms = greatest(f.polled_ms, n.polled_ms), stored_ms = %s, layout_id = coalesce(n.layout, f.layout_id),
    collector = n.collector, interval_s = n.interval_s, is_silent = f.is_silent AND NOT n.speaks, is_ahead = n.is_ahead,
    revision = f.revision + n.changes
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::float8[], %s::bool[], %s::bool[], %s::int[])
     AS n (id, polled_ms, layout, collector, interval_s, speaks, is_ahead, changes)
WHERE f.id = n.id
"""


@dataclass(slots=True)
class Held:
    """A locked feed while a batch of it is being stored.

    polled_ms  newest poll before this batch, then as the batch moves it on; 0 for none yet
    layout     that of the newest poll of this batch
    changes    1 if its threshold states changed
    """

    id: int
    ci: int
    target: str
    polled_ms: int
    is_silent: bool
    is_ahead: bool
    packed_ms: int
    revision: int
    rules: int
    collector: str = ""
    interval_s: float = 60.0
    layout: int | None = None
    speaks: bool = False
    changes: int = 0


def lock(messages: Iterable[SamplesCollected], *, now_ms: int) -> dict[Key, Held]:
    """The feeds of these messages, locked until the transaction ends, new ones made first.

    One statement when all are known, else three. Locked in one order everywhere, so two workers
    wait for each other and never in a circle.
    """
    newest = {(message.ci, message.target): message for message in messages}
    held = _select(newest)
    if missing := [newest[key] for key in newest if key not in held]:
        with connection.cursor() as cursor:
            columns = zip(*((m.ci, m.target, m.collector, m.interval_s) for m in missing), strict=True)
            cursor.execute(_MAKE, [now_ms, *map(list, columns)])
        held = _select(newest)
    for key, feed in held.items():
        feed.collector, feed.interval_s = newest[key].collector, newest[key].interval_s
    return held


def _select(keys: Mapping[Key, object]) -> dict[Key, Held]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [[ci for ci, _ in keys], [target for _, target in keys]])
        names = [column.name for column in cursor.description or ()]
        found = [Held(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
    return {(feed.ci, feed.target): feed for feed in found}


def move_on(feeds: Sequence[Held], *, now_ms: int) -> None:
    rows = [
        (f.id, f.polled_ms or None, f.layout, f.collector, f.interval_s, f.speaks, f.is_ahead, f.changes)
        for f in feeds
    ]
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_ON, [now_ms, *map(list, zip(*rows, strict=True))])
