"""Layouts: which columns a message's matrix has, found by the hash of its series text."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction

from wardkeeper.aggregation.metric import catalogue, codec
from wardkeeper.aggregation.metric.models import Layout
from wardkeeper.aggregation.metric.threshold import Checks

MOST_CACHED = 50_000


@dataclass(slots=True)
class Known:
    """A layout as a process keeps it.

    names   (metric, instance) of each column
    fresh   series made together with this layout, in the transaction that is still open
    checks  compiled thresholds with the mark under which they were compiled
    """

    id: int
    series: list[int]
    names: list[tuple[str, str]]
    plan: codec.Plan
    fresh: frozenset[int] = frozenset()
    checks: tuple[tuple[int, int], Checks] | None = field(default=None)


Asked = tuple[int, int, str]
"""Feed, CI, series text."""

_known: dict[tuple[int, bytes], Known] = {}

_MAKE_SERIES = """
INSERT INTO metric_series (ci, metric, instance)
SELECT DISTINCT ci, metric, instance FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS new (ci, metric, instance)
ORDER BY ci, metric, instance
ON CONFLICT (ci, metric, instance) DO NOTHING
RETURNING id
"""
_SERIES = """
SELECT s.id, s.ci, s.metric, s.instance FROM metric_series s
JOIN unnest(%s::bigint[], %s::text[], %s::text[]) AS asked (ci, metric, instance)
  ON s.ci = asked.ci AND s.metric = asked.metric AND s.instance = asked.instance
"""


def forget() -> None:
    """Empties this process's copy; for tests that start over with an empty database."""
    _known.clear()


def resolve(asked: Iterable[Asked]) -> dict[Asked, Known]:
    """The layout of each; unknown ones are made. No statement at all when this process knows them.

    The caller holds the feeds' locks, so that no other process makes the same layout meanwhile.
    Raises catalogue.BadSeries.
    """
    digests = {one: hashlib.sha256(one[2].encode()).digest() for one in asked}
    found = {one: known for one, digest in digests.items() if (known := _known.get((one[0], digest)))}
    missing = [one for one in digests if one not in found]
    if missing:
        stored = _stored(missing, digests)
        new = [one for one in missing if one not in stored]
        made = _make(new, digests) if new else {}
        found |= stored | made
        _remember({(one[0], digests[one]): found[one] for one in missing})
    return found


def _stored(asked: Sequence[Asked], digests: dict[Asked, bytes]) -> dict[Asked, Known]:
    by_key = {(one[0], digests[one]): one for one in asked}
    rows = Layout.objects.filter(
        feed__in={one[0] for one in asked}, digest__in=[digests[one] for one in asked]
    )
    found = {}
    for row in rows:
        one = by_key.get((row.feed_id, bytes(row.digest)))
        if one is not None:
            names = catalogue.parse_series(one[2])
            found[one] = Known(row.pk, row.series, names, codec.plan(bytes(row.kinds)))
    return found


def _make(asked: Sequence[Asked], digests: dict[Asked, bytes]) -> dict[Asked, Known]:
    names = {one: catalogue.parse_series(one[2]) for one in asked}
    wanted = [(ci, metric, instance) for one in asked for ci in (one[1],) for metric, instance in names[one]]
    columns = list(map(list, zip(*wanted, strict=True)))
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_SERIES, columns)
        fresh = frozenset(row[0] for row in cursor.fetchall())
        cursor.execute(_SERIES, columns)
        ids = {(ci, metric, instance): pk for pk, ci, metric, instance in cursor.fetchall()}
    rows = Layout.objects.bulk_create(
        Layout(
            feed_id=one[0],
            digest=digests[one],
            series=[ids[one[1], *name] for name in names[one]],
            kinds=catalogue.kind_codes(names[one]),
        )
        for one in asked
    )
    return {
        one: Known(
            row.pk, row.series, names[one], codec.plan(bytes(row.kinds)), fresh & frozenset(row.series)
        )
        for one, row in zip(asked, rows, strict=True)
    }


def _remember(entries: dict[tuple[int, bytes], Known]) -> None:
    # Only once they are committed: an id that was rolled back must not be written into polls.
    def keep() -> None:
        while len(_known) > MOST_CACHED:
            del _known[next(iter(_known))]
        for known in entries.values():
            known.fresh = frozenset()
        _known.update(entries)

    transaction.on_commit(keep)
