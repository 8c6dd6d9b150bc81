"""A database whose transactions really commit, as relay and worker are other sessions."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections


@pytest.fixture(scope="session")
def bus_database(postgres_dsn, django_db_blocker) -> Iterator[str]:
    """A database of our own with the bus's tables alone: emptying the shared one is refused by the ledger."""
    name = f"bus_{uuid.uuid4().hex[:12]}"
    default = connections["default"]
    before = default.settings_dict["NAME"]
    with psycopg.connect(postgres_dsn, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    default.close()  # an earlier test may have left it open, on its own database
    default.settings_dict["NAME"] = name
    with django_db_blocker.unblock():
        for app in ("bus", "procrastinate"):
            call_command("migrate", app, verbosity=0)
        default.close()
    default.settings_dict["NAME"] = before
    yield name
    with psycopg.connect(postgres_dsn, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def committed(bus_database, django_db_blocker) -> Iterator[None]:
    """Django works on that database, in autocommit; the bus's tables are emptied afterwards."""
    default = connections["default"]
    before = default.settings_dict["NAME"]
    default.close()
    default.settings_dict["NAME"] = bus_database
    try:
        with django_db_blocker.unblock():
            yield
            with default.cursor() as cursor:
                cursor.execute("TRUNCATE bus_outboxmessage, bus_takenmessage, bus_parkedmessage")
            connections.close_all()
    finally:
        default.settings_dict["NAME"] = before
