"""Carries the outbox to the bus: reads, publishes, deletes what the bus has stored. One at a time.

Nothing is skipped: the relay does not remember how far it has read, it deletes what it has sent. Numbers of
a sequence become visible out of order (a slow transaction commits number 5 after another has committed 6),
so a relay that went on behind 6 would lose 5. Here 5 is simply in the next reading.

Order per key holds nevertheless: a second fact about the same thing waits for the first one's row lock, so
its outbox row gets its number after the first transaction has committed; whoever sees the second sees the
first. Facts that share a key but no lock have no order to keep.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg

from wardkeeper.bus.contract import BusAway, Carrier, Envelope, MessageTooLarge
from wardkeeper.bus.seat import seat

_log = logging.getLogger(__name__)

PARKED_GROUP = "relay"
"""Under this name lie messages that no carrier takes, in the table of parked messages."""

_ROWS = 2000
_BYTES = 16_000_000
_LOOK_AGAIN_S = 2.0
"""If a notification was lost. One look at an empty table costs 0.1 ms."""
_PAUSE_S = 1.0

_READ = """
    SELECT id, topic, message_id::text, key, payload FROM (
        SELECT *, sum(octet_length(payload)) OVER (ORDER BY id) AS size, row_number() OVER (ORDER BY id) AS number
        FROM (SELECT * FROM bus_outboxmessage ORDER BY id LIMIT %s) AS head
    ) AS measured
    WHERE size <= %s OR number = 1 ORDER BY id
"""

_PARK = """
    INSERT INTO bus_parkedmessage ("group", message_id, topic, key, payload, error, tries)
    VALUES (%s, %s, %s, %s, %s, %s, 1) ON CONFLICT ("group", message_id) DO NOTHING
"""


class Relay:
    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Waits for database and bus as long as it takes."""
        while not stop.is_set():
            try:
                async with seat("bus.relay", stop) as connection:
                    if connection is not None:
                        await self._relay(connection, stop)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                _log.warning("bus.relay_waits", extra={"error": str(error)})
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _PAUSE_S)

    async def _relay(self, connection: psycopg.AsyncConnection[Any], stop: asyncio.Event) -> None:
        await connection.execute("LISTEN bus_outbox")
        # A delete that a crash takes back is a message sent twice, which receivers notice. No flush for it.
        await connection.execute("SET synchronous_commit = off")
        while not stop.is_set():
            cursor = connection.cursor(binary=True)
            rows = await (await cursor.execute(_READ, (_ROWS, _BYTES))).fetchall()
            if not rows:
                await _wait(connection, stop)
                continue
            envelopes = [Envelope(topic, id_, key, payload) for _, topic, id_, key, payload in rows]
            try:
                await self._publish(connection, envelopes)
            except BusAway as error:
                _log.warning("bus.relay_waits", extra={"error": str(error), "rows": len(rows)})
                continue
            await connection.execute(
                "DELETE FROM bus_outboxmessage WHERE id = ANY(%s)", ([row[0] for row in rows],)
            )

    async def _publish(self, connection: psycopg.AsyncConnection[Any], envelopes: Sequence[Envelope]) -> None:
        try:
            await self._carrier.publish(envelopes)
        except MessageTooLarge:
            # One of them would stop all: find it. Rare enough to do it one by one.
            for each in envelopes:
                try:
                    await self._carrier.publish([each])
                except MessageTooLarge as error:
                    _log.error(
                        "bus.parked", extra={"group": PARKED_GROUP, "topic": each.topic, "id": each.id}
                    )
                    row = (PARKED_GROUP, each.id, each.topic, each.key, each.payload, str(error))
                    await connection.execute(_PARK, row)


async def _wait(connection: psycopg.AsyncConnection[Any], stop: asyncio.Event) -> None:
    """For a notification, or a while."""

    async def hear() -> None:
        async for _ in connection.notifies(timeout=_LOOK_AGAIN_S, stop_after=1):
            pass

    hearing = asyncio.create_task(hear())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([hearing, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not hearing.done():
        hearing.cancel()
    with suppress(asyncio.CancelledError):
        await hearing
