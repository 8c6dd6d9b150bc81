"""`run work`: handlers, the outbox relay and timed jobs, in one process.

Several of them may run; one handles messages, the others stand by. Jobs are shared by all.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec

import psycopg
from django.apps import apps
from procrastinate.contrib.django import app as jobs
from procrastinate.contrib.django import django_connector as connectors

from wardkeeper import bus
from wardkeeper.bus.contract import BusAway, Carrier, Subscription
from wardkeeper.bus.group import Group
from wardkeeper.bus.relay import Relay
from wardkeeper.bus.seat import seat
from wardkeeper.runtime.role import say_ready
from wardkeeper.settings import Settings, current

_log = logging.getLogger(__name__)

THREADS = 8
"""Handlers that may run at the same moment; each holds a database connection."""

JOBS = 2
STOP_S = 4.0
_TRIM_EVERY_S = 30.0
_PAUSE_S = 1.0
_SEAT_CHECK_S = 5.0


class DuplicateGroup(ValueError):
    """Two subscriptions would share one position in the log, and each would miss what the other reads."""


def subscriptions() -> dict[str, Subscription]:
    """What every installed app listens to: `SUBSCRIPTIONS` in its `handlers` module, by name.

    Django must be set up. Raises DuplicateGroup.
    """
    found: dict[str, Subscription] = {}
    groups: dict[str, str] = {}
    for config in apps.get_app_configs():
        if find_spec(f"{config.name}.handlers") is None:
            continue
        declared = getattr(import_module(f"{config.name}.handlers"), "SUBSCRIPTIONS", {})
        for name, subscription in declared.items():
            known = groups.setdefault(subscription.group, name)
            if name in found or known != name:
                raise DuplicateGroup(
                    f"{config.name}: {name!r}, group {subscription.group!r}, is declared twice"
                )
            found[name] = subscription
    return found


def main() -> int:
    """Runs until SIGTERM or SIGINT. Django must be set up."""
    return asyncio.run(_main(current()))


async def _main(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    working = asyncio.create_task(work(settings, stop))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait([working], timeout=STOP_S)
    if not working.done():
        # A handler hangs. Its transaction is rolled back, its batch comes again.
        left = sorted(task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task())
        _log.warning("work.ended_by_force", extra={"left": " ".join(left)})
        logging.shutdown()
        os._exit(1)
    working.result()
    return 0


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Everything that a worker does, until `stop`."""
    known = subscriptions()
    carrier = await _connect(settings, stop)
    if carrier is None:
        return
    # Threads start when they are needed: an idle worker has none.
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="handler")
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Relay(carrier).run(stop), name="relay")
            tasks.create_task(handle(carrier, list(known.values()), threads, stop), name="groups")
            tasks.create_task(_run_jobs(stop), name="jobs")
            _log.info("work.started", extra={"groups": len(known)})
            say_ready()
    finally:
        await carrier.close()
        threads.shutdown(wait=False, cancel_futures=True)


async def _connect(settings: Settings, stop: asyncio.Event) -> Carrier | None:
    while not stop.is_set():
        try:
            return await bus.connect(settings.bus)
        except BusAway as error:
            _log.warning("work.bus_away", extra={"error": str(error)})
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_S)
    return None


async def handle(
    carrier: Carrier, known: Sequence[Subscription], threads: ThreadPoolExecutor, stop: asyncio.Event
) -> None:
    """Runs all groups while this process holds the seat; independent of each other."""
    while not stop.is_set():
        lost = asyncio.Event()
        try:
            async with seat("bus.groups", stop) as connection, asyncio.TaskGroup() as tasks:
                if connection is None:
                    return
                for subscription in known:
                    tasks.create_task(
                        Group(subscription, carrier, threads).run(lost), name=subscription.group
                    )
                tasks.create_task(_trim_often(carrier, known, lost))
                await _hold(connection, stop, lost)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            _log.warning("work.database_away", extra={"error": str(error)})
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_S)


async def _hold(
    connection: psycopg.AsyncConnection[tuple[object, ...]], stop: asyncio.Event, lost: asyncio.Event
) -> None:
    """Until `stop`, or until the session that holds the seat is gone; then `lost` ends the groups."""
    try:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _SEAT_CHECK_S)
            await connection.execute("SELECT 1")
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        _log.warning("work.seat_lost", extra={"error": str(error)})
    finally:
        lost.set()


async def _trim_often(carrier: Carrier, known: Sequence[Subscription], stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _TRIM_EVERY_S)
            return
        try:
            await carrier.trim([(each.group, each.topics) for each in known])
        except BusAway as error:
            _log.warning("work.trim_waits", extra={"error": str(error)})


async def _run_jobs(stop: asyncio.Event) -> None:
    """Timed and deferred jobs, by procrastinate; starts again after a failure."""
    while not stop.is_set():
        try:
            connector = connectors.DjangoConnector().get_worker_connector()
            with jobs.replace_connector(connector) as app:
                async with app.open_async():
                    running = asyncio.create_task(
                        app.run_worker_async(
                            concurrency=JOBS,
                            install_signal_handlers=False,
                            fetch_job_polling_interval=30.0,
                            abort_job_polling_interval=30.0,
                            shutdown_graceful_timeout=STOP_S / 2,
                            delete_jobs="successful",
                        )
                    )
                    stopping = asyncio.create_task(stop.wait())
                    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
                    stopping.cancel()
                    running.cancel()
                    with suppress(asyncio.CancelledError):
                        await running
        except Exception:  # noqa: BLE001 - the worker logs and goes on
            _log.exception("work.jobs_failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_S)
