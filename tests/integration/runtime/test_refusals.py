"""What `up` refuses: one clear line on stderr, exit status 2, nothing left running."""

import os
import socket
import subprocess
import sys

import psycopg
import pytest

from wardkeeper.runtime.datadir import Lock
from wardkeeper.runtime.postgres import EmbeddedPostgres


@pytest.fixture
def up(data_dir, free_port):
    """Runs `up` until it refuses; returns the words it left on stderr."""
    folder = data_dir / "house"

    def run(*options, data=folder, status=2, **variables):
        env = {name: value for name, value in os.environ.items() if not name.startswith("WARDKEEPER_")}
        free = {
            "WARDKEEPER_WEB_EVENTS_LISTEN": f"127.0.0.1:{free_port()}",
            "WARDKEEPER_ADAPTERS_SYSLOG__PORT": str(free_port()),
            "WARDKEEPER_ADAPTERS_SNMP_TRAP__PORT": str(free_port()),
        }
        words = ["up", "--data", str(data), "--listen", f"127.0.0.1:{free_port()}", *options]
        done = subprocess.run(
            [sys.executable, "-m", "wardkeeper", *words],
            check=False,
            env={**env, **free, **variables},
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        # Log lines come before; the refusal is one line and the last.
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("wardkeeper: ")
        assert done.stderr.count("wardkeeper: ") == 1
        return last

    run.folder = folder  # type: ignore[attr-defined]  # a function with one fact beside it
    return run


@pytest.fixture
def taken():
    """A TCP port that somebody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_data_directory_in_use(up):
    up.folder.mkdir(mode=0o711)
    lock = Lock(up.folder / "lock")
    assert lock.take()
    assert up().endswith(
        f"data directory {up.folder} is in use by process {os.getpid()}; stop it, or choose another with --data"
    )
    lock.release()


def test_port_of_the_pages_in_use_names_the_option(up, taken):
    said = up("--listen", f"127.0.0.1:{taken}")
    assert (
        said == f"wardkeeper: port 127.0.0.1:{taken}/tcp is in use; choose another with --listen (web.listen)"
    )


def test_port_of_the_event_streams_in_use_names_the_setting(up, taken):
    said = up(WARDKEEPER_WEB_EVENTS_LISTEN=f"127.0.0.1:{taken}")
    assert said == f"wardkeeper: port 127.0.0.1:{taken}/tcp is in use; choose another with web.events_listen"


def test_port_of_an_adapter_in_use_names_the_setting(up, taken):
    said = up(WARDKEEPER_ADAPTERS_SYSLOG__PORT=str(taken))
    assert (
        said == f"wardkeeper: port 127.0.0.1:{taken}/tcp is in use; choose another with adapters.syslog.port"
    )


def test_address_of_another_machine_names_the_option(up):
    said = up("--listen", "192.0.2.1:8000")
    assert "cannot listen on 192.0.2.1:8000/tcp" in said
    assert "--listen" in said


@pytest.mark.parametrize("address", ["8000", "localhost:", "localhost:99999", "localhost:http"])
def test_address_that_is_none(up, address):
    assert "HOST:PORT" in up("--listen", address)


def test_unwritable_data_directory(up):
    assert "data directory /proc/wardkeeper is not writable" in up(data="/proc/wardkeeper")


def test_data_directory_that_is_a_file(up, data_dir):
    file = data_dir / "file"
    file.touch()
    assert f"data directory {file} is not a directory" in up(data=file)


def test_wrong_setting_is_named_with_its_path(up):
    assert "web.workers" in up(WARDKEEPER_WEB_WORKERS="many")


def test_external_database_that_does_not_answer_names_the_setting(up, free_port):
    port = free_port()
    said = up(WARDKEEPER_DATABASE_DSN=f"postgresql://u:secret-word@127.0.0.1:{port}/wardkeeper")
    assert f"database.dsn: cannot reach 127.0.0.1:{port}" in said
    assert "secret-word" not in said


def test_external_bus_that_does_not_answer_names_the_setting(up, free_port):
    port = free_port()
    said = up(WARDKEEPER_BUS_URL=f"nats://u:secret-word@127.0.0.1:{port}")
    assert f"bus.url: cannot reach 127.0.0.1:{port}" in said
    assert "secret-word" not in said


def test_broken_off_restore(up):
    up.folder.mkdir(mode=0o711)
    (up.folder / "restoring").touch()
    assert "broken off" in up()


@pytest.mark.slow
def test_database_newer_than_the_program(up):
    with EmbeddedPostgres(up.folder) as postgres, psycopg.connect(postgres.dsn) as connection:
        connection.execute(
            "CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz DEFAULT now())"
        )
        connection.execute(
            "INSERT INTO django_migrations (app, name) VALUES ('ledger', '9001_from_the_future')"
        )
    said = up()
    assert "database is newer than this program" in said
    assert "ledger.9001_from_the_future" in said


@pytest.mark.slow
def test_cluster_of_another_postgresql_version(up):
    with EmbeddedPostgres(up.folder) as postgres:
        cluster = postgres.place.cluster
    (cluster / "PG_VERSION").write_text("14\n")
    assert "was made by PostgreSQL 14" in up()
