"""What every test may ask for: PostgreSQL, NATS, a free port, a program of the machine."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
import pytest_socket
from django.db import connection, transaction

from tests import engines

# Django reads its settings when it is set up, before any test runs: the address of the test database
# must be known by then, though nothing is started until a test asks for it.
engines.prepare_environment()
os.environ["PATH"] += os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"


def pytest_configure(config: pytest.Config) -> None:
    # Not by `DJANGO_SETTINGS_MODULE` in pyproject.toml: pytest-django would load it before this file.
    django.setup()
    # The real cost of a password, 0.1 s and 100 MB, would be paid by every person of every test.
    from django.contrib.auth.hashers import Argon2PasswordHasher

    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost = 1, 64


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        engines.stop_all()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("peer"):
        missing = [name for name in marker.args if shutil.which(name) is None]
        if not missing:
            continue
        reason = f"needs {', '.join(missing)} on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def _unit_tests_stay_inside(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test that opens a socket is an integration test in the wrong folder."""
    if Path(__file__).parent / "unit" not in request.path.parents:
        yield
        return
    pytest_socket.disable_socket(allow_unix_socket=True)  # asyncio's own wake-up pair is one
    yield
    pytest_socket.enable_socket()


@pytest.fixture(scope="session")
def postgres_dsn() -> str:
    """Address of an empty PostgreSQL that all workers of this run share; `db` of pytest-django is on it."""
    return engines.start("postgres")


@pytest.fixture(scope="session")
def nats_url() -> str:
    """Address of a NATS with JetStream that all workers of this run share: name streams uniquely."""
    return engines.start("nats")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, postgres_dsn: str
) -> None:
    """The server runs before pytest-django creates its database on it."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests with `transaction=True` empty all tables afterwards; the journal's triggers rightly refuse that.

    What migrations have put in (retention, thresholds, categories ...) is put back, so that the tests
    after them find the database as it was made, in whatever order they run.
    """
    with django_db_blocker.unblock():
        _keep_what_migrations_made()
        connection.close()

    def flush(operations: Any, sql_list: list[str]) -> None:
        with transaction.atomic(), operations.connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for sql in sql_list:
                cursor.execute(sql)
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'made'")
            tables = [table for (table,) in cursor.fetchall()]
            cursor.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in tables) + " CASCADE")
            for table in tables:
                cursor.execute(f'INSERT INTO "{table}" OVERRIDING SYSTEM VALUE SELECT * FROM made."{table}"')

    type(connection.ops).execute_sql_flush = flush  # type: ignore[method-assign]  # for the whole run


def _keep_what_migrations_made() -> None:
    """Copies of all rows that a new database has, in a schema of their own; sequences go on where they are."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS made CASCADE")
        cursor.execute("CREATE SCHEMA made")
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT EXISTS (SELECT FROM public."{table}")')
            if cursor.fetchone() == (True,):
                cursor.execute(f'CREATE TABLE made."{table}" AS TABLE public."{table}"')


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A function that returns a TCP port of loopback that was free a moment ago."""

    def choose() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return choose


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data directory that another account can pass through, as PostgreSQL needs when we are root."""
    with engines.folder() as made:
        yield made
