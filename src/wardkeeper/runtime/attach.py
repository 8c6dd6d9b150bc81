"""Gives a command the engines of the data directory: those of a running `up`, or its own for a while."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from wardkeeper.runtime import datadir
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres
from wardkeeper.settings import current, ensure_secret_key

LOCK = "lock"
HANDED = "WARDKEEPER_INTERNAL_HANDED"
_NO_SETTINGS = ("WARDKEEPER_INTERNAL_", "WARDKEEPER_TEST_")


@contextmanager
def attached(*, bus: bool) -> Iterator[None]:
    """Within it WARDKEEPER_DATABASE_DSN (and WARDKEEPER_BUS_URL if `bus`) name engines that answer.

    The secret key is there too. Raises RefusalError if the data directory cannot be used.
    """
    settings = current()
    with ExitStack() as stack:
        wants_postgres = not settings.database.dsn
        wants_nats = bus and not settings.bus.url
        folder = datadir.make(settings.data_dir)
        ensure_secret_key(folder)
        current.cache_clear()
        if wants_postgres or wants_nats:
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
            hand_down(
                {
                    "DATABASE_DSN": postgres.dsn if wants_postgres else "",
                    "BUS_URL": nats.url if wants_nats else "",
                }
            )
        yield


def hand_down(values: Mapping[str, str]) -> None:
    """Puts settings that we, not the operator, have decided into the environment; empty ones are left out."""
    given = {f"WARDKEEPER_{name}": value for name, value in values.items() if value}
    os.environ.update(given)
    os.environ[HANDED] = " ".join([*os.environ.get(HANDED, "").split(), *given])
    current.cache_clear()


def operators_variables() -> list[str]:
    """Names of settings in the environment that the operator set."""
    ours = {*os.environ.get(HANDED, "").split(), "WARDKEEPER_DATA", "WARDKEEPER_CONFIG", "WARDKEEPER_SOCKETS"}
    return sorted(
        name
        for name in os.environ
        if name.startswith("WARDKEEPER_") and not name.startswith(_NO_SETTINGS) and name not in ours
    )


def _is_up(postgres: EmbeddedPostgres, nats: EmbeddedNats | None) -> bool:
    return postgres.answers() and (nats is None or nats.answers())
