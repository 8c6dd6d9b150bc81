"""Writes down what falls due next, for many records at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction


class Due(NamedTuple):
    """The next deadline of a record and the clock that it belongs to; None: nothing is due."""

    record: int
    at: datetime | None
    clock: str


@transaction.atomic
def set_dues(dues: Sequence[Due]) -> None:
    """Like `set_due`, in one statement however many: a changed calendar moves thousands of deadlines."""
    if not dues:
        return
    records, ats, clocks = zip(*sorted(dues), strict=True)
    with connection.cursor() as cursor:
        # In order of id, as every other writer locks records; the update alone would lock in any order.
        cursor.execute(
            "SELECT FROM ledger_record WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(records)]
        )
        cursor.execute(
            """
            UPDATE ledger_record SET due_at = wanted.at, due_clock = wanted.clock
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS wanted (record, at, clock)
            WHERE ledger_record.id = wanted.record
            """,
            [list(records), list(ats), list(clocks)],
        )
