"""Devices that are no longer heard of: raised once, cleared when a current poll is stored."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.db import connection, transaction

from wardkeeper.aggregation.alarm.condition import Condition
from wardkeeper.aggregation.metric.services.feeds import Held
from wardkeeper.messages import Target

CODE = "device.no_data"
INTERVALS = 3
"""Polls that may be missing before a feed counts as silent."""
SOURCE = "metric"
CATCHING_UP_MS = 60_000

# A collector that was cut off sends what it spooled, oldest first. While old polls of it keep
# coming in, what is missing is on its way: nothing is raised. And a feed that was raised before
# is cleared only by a poll that is current, so the replay neither clears nor raises it again.
_FIND = """
WITH behind AS (
    SELECT DISTINCT collector FROM metric_feed
    WHERE is_watched AND stored_ms > %(now)s - %(catching_up)s
      AND polled_ms < stored_ms - %(grace)s * interval_s
)
UPDATE metric_feed SET is_silent = true
WHERE id IN (
    SELECT id FROM metric_feed
    WHERE is_watched AND NOT is_silent
      AND greatest(coalesce(polled_ms, 0), watched_ms) < %(now)s - %(grace)s * interval_s
      AND collector NOT IN (SELECT collector FROM behind)
    ORDER BY id FOR UPDATE
)
RETURNING ci, target, polled_ms, collector
"""
_ASSIGN = """
INSERT INTO metric_feed
    (ci, target, collector, interval_s, watched_ms, packed_ms, is_watched, is_silent, is_ahead, revision)
SELECT ci, target, %s, interval_s, %s, 0, true, false, false, 0
FROM unnest(%s::bigint[], %s::text[], %s::float8[]) AS new (ci, target, interval_s)
ORDER BY ci, target
ON CONFLICT (ci, target) DO UPDATE
SET collector = excluded.collector, interval_s = excluded.interval_s, is_watched = true,
    watched_ms = excluded.watched_ms
"""
_RELEASE = """
WITH gone AS (
    SELECT f.id, f.ci, f.target, f.is_silent FROM metric_feed f
    WHERE f.collector = %s AND f.is_watched AND NOT EXISTS (
        SELECT FROM unnest(%s::bigint[], %s::text[]) AS kept (ci, target)
        WHERE kept.ci = f.ci AND kept.target = f.target
    )
    ORDER BY f.id FOR UPDATE
), released AS (
    UPDATE metric_feed SET is_watched = false, is_silent = false WHERE id IN (SELECT id FROM gone)
)
SELECT ci, target FROM gone WHERE is_silent
"""


def _condition(ci: int, target: str, severity: str, at: datetime, **parameters: str) -> Condition:
    return Condition(
        fingerprint=f"{ci}:{CODE}:{target}",
        ci=ci,
        condition=CODE,
        severity=severity,
        parameters={"target": target, **parameters},
        happened_at=at,
        source=SOURCE,
    )


def ended(feeds: Iterable[Held], *, now_ms: int) -> list[Condition]:
    """Clears the silent among `feeds` that have a current poll now; marks them."""
    found = []
    for feed in feeds:
        if feed.is_silent and feed.polled_ms >= now_ms - 1000 * feed.interval_s * INTERVALS:
            feed.speaks = True
            # Heard of again now, not at the poll's own time: that may lie before the alarm was raised.
            at = datetime.fromtimestamp(now_ms / 1000, UTC)
            found.append(_condition(feed.ci, feed.target, "cleared", at))
    return found


def find(*, now_ms: int) -> list[Condition]:
    """Feeds that fell silent since the last look, each once. Part of the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"now": now_ms, "catching_up": CATCHING_UP_MS, "grace": 1000 * INTERVALS})
        rows = cursor.fetchall()
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    return [
        _condition(
            ci,
            target,
            "major",
            at,
            collector=collector,
            last_poll=datetime.fromtimestamp(polled_ms / 1000, UTC).isoformat() if polled_ms else "",
        )
        for ci, target, polled_ms, collector in rows
    ]


@transaction.atomic
def expect(collector: str, targets: Sequence[Target], *, now_ms: int) -> list[Condition]:
    """From now on polls are expected from exactly these targets of `collector`.

    The patience begins anew with each list: a collector asks for it when it starts, and after
    a stop of everything nothing has been polled for as long as that lasted.

    Clears what was raised for targets that are no longer polled.
    """
    cis, names = [target.ci for target in targets], [target.id for target in targets]
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [collector, cis, names])
        gone = cursor.fetchall()
        if targets:
            cursor.execute(
                _ASSIGN, [collector, now_ms, cis, names, [target.interval_s for target in targets]]
            )
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    return [_condition(ci, target, "cleared", at) for ci, target in gone]
