"""Facts and their messages in one transaction: `announce` to send, `once` to take."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from django.db import connection, transaction

from wardkeeper.bus.codec import seal
from wardkeeper.bus.models import TakenMessage
from wardkeeper.messages import Message

M = TypeVar("M", bound=Message)


class OutsideTransaction(RuntimeError):
    """Without a transaction a message could be sent for a fact that is never stored, or the reverse."""


def _require_transaction(what: str) -> None:
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransaction(
            f"{what} must be called inside transaction.atomic(), with the fact it speaks of"
        )


def announce(*messages: Message) -> None:
    """Sends these when, and only when, the caller's transaction commits; in this order per key.

    Costs one statement however many messages. A trigger on the table wakes the relay at commit.
    Order per key is that of the facts only if the caller holds a lock on what the key names
    (as every change of a record does): see docs/why/bus.md.
    Raises OutsideTransaction, MessageRefused.
    """
    _require_transaction("announce")
    if not messages:
        return
    sealed = list(map(seal, messages))
    with connection.cursor() as cursor:
        # A quarter of the time that the ORM takes. Rows are numbered as unnest() gives them: in order.
        cursor.execute(
            """
            INSERT INTO bus_outboxmessage (message_id, topic, key, payload)
            SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bytea[])
            """,
            [
                [each.id for each in sealed],
                [each.topic for each in sealed],
                [each.key for each in sealed],
                [each.payload for each in sealed],
            ],
        )


def once(group: str, messages: Sequence[M]) -> list[M]:
    """Those that `group` has not taken yet, in order; marks them as taken.

    Belongs into the handler's own transaction: mark and effect commit together or not at all.
    If another worker is taking the same message at this moment, the statement waits for its
    transaction and then knows the outcome.
    """
    _require_transaction("once")
    if not messages:
        return []
    with connection.cursor() as cursor:
        # Sorted, so that two transactions that take the same messages wait for each other, not in a circle.
        cursor.execute(
            """
            INSERT INTO bus_takenmessage ("group", message_id)
            SELECT %s, id FROM unnest(%s::uuid[]) AS id GROUP BY id ORDER BY id
            ON CONFLICT DO NOTHING
            RETURNING message_id::text
            """,
            [group, [message.id for message in messages]],
        )
        fresh = {row[0] for row in cursor.fetchall()}
    taken = []
    for message in messages:
        if message.id in fresh:
            fresh.remove(message.id)
            taken.append(message)
    return taken


def prune(before: datetime) -> int:
    """Forgets what was taken before then; returns how many rows.

    `before` must lie further back than any message can come again: the time that a
    collector's spool or the outbox may have waited, three days as the periodic job does it.
    """
    deleted, _ = TakenMessage.objects.filter(taken_at__lt=before).delete()
    return deleted
