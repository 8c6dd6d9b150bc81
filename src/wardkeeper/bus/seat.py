"""A named seat that one process of all holds at a time, and an asynchronous connection for its holder."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from zlib import crc32

import psycopg
from django.db import connection as django_connection

_log = logging.getLogger(__name__)

_SPACE = 0x776B  # "wk": apart from advisory locks that others on the same database may take
_ASK_AGAIN_S = 2.0


async def connect() -> psycopg.AsyncConnection[tuple[object, ...]]:
    """A connection of its own to Django's database, in autocommit."""
    known = django_connection.get_connection_params()
    # What Django adds for its own cursors.
    parameters = {name: value for name, value in known.items() if name not in {"cursor_factory", "context"}}
    return await psycopg.AsyncConnection.connect(**parameters, autocommit=True)


@asynccontextmanager
async def seat(
    name: str, stop: asyncio.Event
) -> AsyncIterator[psycopg.AsyncConnection[tuple[object, ...]] | None]:
    """Waits until nobody else holds the seat; yields the connection whose session holds it, None at `stop`.

    The lock ends with the session, so a process that is killed leaves the seat at once.
    Raises psycopg.OperationalError.
    """
    async with await connect() as connection:
        waited = False
        while not stop.is_set():
            cursor = await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_SPACE, _number(name)))
            if (row := await cursor.fetchone()) and row[0]:
                yield connection
                return
            if not waited:
                _log.info("bus.seat_taken", extra={"seat": name})
                waited = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _ASK_AGAIN_S)
        yield None


def _number(name: str) -> int:
    return crc32(name.encode()) - (1 << 31)
