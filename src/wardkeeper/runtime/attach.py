"""Gives a command the engines of the data directory: those of a running `up`, or its own for a while."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from wardkeeper.runtime import datadir
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres
from wardkeeper.settings import current

LOCK = "lock"


@contextmanager
def attached(*, bus: bool) -> Iterator[None]:
    """Within it WARDKEEPER_DATABASE_DSN (and WARDKEEPER_BUS_URL if `bus`) name engines that answer.

    Raises RefusalError if the data directory cannot be used.
    """
    settings = current()
    with ExitStack() as stack:
        wants_postgres = not settings.database.dsn
        wants_nats = bus and not settings.bus.url
        if wants_postgres or wants_nats:
            folder = datadir.make(settings.data_dir)
            postgres, nats = EmbeddedPostgres(folder), EmbeddedNats(folder)
            lock = datadir.Lock(folder / LOCK)
            if lock.take():
                stack.callback(lock.release)
                if wants_nats:
                    nats.launch()
                    stack.callback(nats.stop)
                if wants_postgres:
                    postgres.start()
                    stack.callback(postgres.stop)
                if wants_nats:
                    nats.wait()
            elif not _is_up(postgres, nats if wants_nats else None):
                raise RefusalError(f"process {lock.holder()} uses {folder} and is not ready yet; try again")
            if wants_postgres:
                os.environ["WARDKEEPER_DATABASE_DSN"] = postgres.dsn
            if wants_nats:
                os.environ["WARDKEEPER_BUS_URL"] = nats.url
            current.cache_clear()
        yield


def _is_up(postgres: EmbeddedPostgres, nats: EmbeddedNats | None) -> bool:
    return postgres.answers() and (nats is None or nats.answers())
