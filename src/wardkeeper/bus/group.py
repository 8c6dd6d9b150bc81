"""Runs one subscription: batch by batch in a thread, message by message when a batch fails."""

import asyncio
import logging
import random
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection

from wardkeeper.bus.contract import Batch, Carrier, GroupTaken, Parked, Subscription
from wardkeeper.bus.models import ParkedMessage

_log = logging.getLogger(__name__)

T = TypeVar("T")

_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_LONGEST_ERROR = 2000

# The database is away or full, not the message at fault. Classes 08 connection, 53 resources, 57P shutdown.
# Source: PostgreSQL, appendix A.
_AWAY_STATES = ("08", "53", "57P")


def database_is_away(error: BaseException) -> bool:
    """Whether the same call may succeed once the database is back."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_AWAY_STATES)


def describe(error: BaseException) -> str:
    """Type, text and the innermost place of our code, for the table of parked messages."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{place}"[:_LONGEST_ERROR]


class Group:
    def __init__(self, subscription: Subscription, carrier: Carrier, threads: ThreadPoolExecutor) -> None:
        self._subscription = subscription
        self._carrier = carrier
        self._threads = threads
        self._stop = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. A failure outside the handler starts the group again where it was."""
        wanted = self._subscription
        self._stop = stop
        while not stop.is_set():
            try:
                async for batch in self._carrier.consume(
                    wanted.group,
                    wanted.topics,
                    batch=wanted.batch,
                    retry=wanted.retry,
                    park=self._park,
                    stop=stop,
                ):
                    await self._handle(batch)
            except GroupTaken as error:
                _log.warning("bus.group_taken", extra={"group": wanted.group, "error": str(error)})
            except Exception:  # noqa: BLE001 - the worker logs and goes on
                _log.exception("bus.group_failed", extra={"group": wanted.group})
            if not stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 1 + random.random())  # noqa: S311 - spreads, hides nothing

    async def _handle(self, batch: Batch) -> None:
        group, handle = self._subscription.group, self._subscription.handle
        many = batch.messages
        if len(many) > 1:
            try:
                await self._steadily(handle, many)
            except Exception as error:  # noqa: BLE001 - a handler may raise anything; each message is tried below
                _log.warning(
                    "bus.batch_failed", extra={"group": group, "size": len(many), "error": describe(error)}
                )
            else:
                return
        for message in batch:
            try:
                await self._steadily(handle, [message])
            except Exception as error:  # noqa: BLE001 - a handler may raise anything; it is counted and kept
                _log.warning(
                    "bus.message_failed",
                    extra={"group": group, "topic": message.TOPIC, "id": message.id},
                    exc_info=error,
                )
                batch.retry(message, describe(error))

    async def _park(self, parked: Parked) -> None:
        await self._steadily(_store, parked)
        _log.error(
            "bus.parked",
            extra={
                "group": parked.group,
                "topic": parked.envelope.topic,
                "id": parked.envelope.id,
                "tries": parked.tries,
                "reason": parked.error,
            },
        )

    async def _steadily(self, work: Callable[[T], None], what: T) -> None:
        """Runs `work` in a thread; waits for a database that is away, without counting it as a try."""
        pause_s = _PAUSE_S
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._threads, _run, work, what)
            except (DatabaseError, InterfaceError) as error:
                if self._stop.is_set() or not database_is_away(error):
                    raise
                _log.warning(
                    "bus.database_away", extra={"group": self._subscription.group, "error": str(error)}
                )
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                return


def _run(work: Callable[[T], None], what: T) -> None:
    """In a thread that keeps its database connection as long as that is sound."""
    close_old_connections()
    try:
        work(what)
    except (DatabaseError, InterfaceError) as error:
        if database_is_away(error):
            connection.close()
        raise


def _store(parked: Parked) -> None:
    sealed = parked.envelope
    ParkedMessage.objects.bulk_create(
        [
            ParkedMessage(
                group=parked.group,
                message_id=sealed.id,
                topic=sealed.topic,
                key=sealed.key,
                payload=sealed.payload,
                error=parked.error,
                tries=parked.tries,
            )
        ],
        ignore_conflicts=True,
    )
