"""`wardkeeper up` itself, with its real roles."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException

import psutil
import psycopg
import pytest

from tests.integration.runtime.conftest import is_alive, wait_for
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def status_at(port, path, headers=None):
    """HTTP status of a GET, 0 if nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


class Up:
    """One run of `up`; `ready_s` is how long it took."""

    def __init__(self, data, port, output, env):
        self.port = port
        self.output = output
        self.started = time.monotonic()
        with output.open("w") as sink:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "wardkeeper",
                    "up",
                    "--data",
                    str(data),
                    "--listen",
                    f"127.0.0.1:{port}",
                ],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
        self.ready_s = 0.0
        self.family = set()

    def wait_ready(self):
        def is_ready():
            assert self.process.poll() is None, self.text()
            return f"Wardkeeper is ready at http://127.0.0.1:{self.port}/" in self.text()

        wait_for(is_ready, within_s=90, what="the ready line")
        self.ready_s = time.monotonic() - self.started
        self.note_family()
        return self

    def note_family(self):
        self.family |= {self.process.pid} | {
            each.pid for each in psutil.Process(self.process.pid).children(recursive=True)
        }

    def text(self):
        return self.output.read_text()

    def status_of(self, path, headers=None):
        return status_at(self.port, path, headers)

    def children(self, name):
        return [
            each for each in psutil.Process(self.process.pid).children(recursive=True) if each.name() == name
        ]

    def stop(self, number=signal.SIGINT):
        self.note_family()
        started = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(20) == 0
        took = time.monotonic() - started
        assert not [pid for pid in self.family if is_alive(pid)]
        return took


@pytest.fixture
def up(data_dir, free_port):
    runs: list[Up] = []
    port = free_port()
    fixed = {
        "WARDKEEPER_WEB_EVENTS_LISTEN": f"127.0.0.1:{free_port()}",
        "WARDKEEPER_ADAPTERS_SYSLOG__PORT": str(free_port()),
        "WARDKEEPER_ADAPTERS_SNMP_TRAP__PORT": str(free_port()),
    }
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("WARDKEEPER_", "DJANGO_"))
    }

    def begin(**variables):
        output = data_dir / f"output-{len(runs)}.txt"
        runs.append(Up(data_dir / "house", port, output, {**env, **fixed, **variables}))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.note_family()
            run.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.process.wait(15)
        for pid in run.family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_first_start_tells_the_login_once_and_the_second_is_ready_within_eight_seconds(up):
    first = up().wait_ready()
    login = re.search(r"Sign in as admin with the password \(shown only now\):\n +(\S{10,})\n", first.text())
    assert login
    assert first.status_of("/login/") == 200
    assert first.status_of("/readyz") == 200
    assert first.stop() < 10
    times = []
    while not times or (
        times[-1] >= 8 and len(times) < 4
    ):  # other work on the machine is not ours to measure
        again = up().wait_ready()
        assert login[1] not in again.text()
        assert "password" not in again.text()
        times.append(again.ready_s)
        assert again.stop(signal.SIGTERM) < 10
    assert min(times) < 8


def test_each_process_killed_in_turn_comes_back_by_itself(up):
    run = up().wait_ready()
    for name in ("wk-work", "wk-web", "wk-events", "nats-server", "postgres"):
        victim = min(run.children(name), key=lambda each: each.create_time())
        victim.kill()
        wait_for(lambda pid=victim.pid: not is_alive(pid))
        run.note_family()
        wait_for(lambda: run.status_of("/readyz") == 200, within_s=60, what=f"ready again after {name}")
    workers = psutil.Process(min(run.children("wk-web"), key=lambda each: each.create_time()).pid).children()
    workers[0].kill()
    wait_for(lambda: run.status_of("/login/") == 200, within_s=30)
    assert run.stop() < 10


def test_after_a_kill_of_everything_the_next_start_recovers(up):
    first = up().wait_ready()
    for pid in first.family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    first.process.wait()
    second = up().wait_ready()
    assert second.status_of("/readyz") == 200
    second.stop()


def test_external_postgresql_and_nats_by_settings_alone(up, data_dir, free_port):
    database = EmbeddedPostgres(data_dir / "theirs", durable=False, tcp_port=free_port())
    bus = EmbeddedNats(data_dir / "theirs")
    with database, bus:
        dsn = f"postgresql://wardkeeper:{database.password}@127.0.0.1:{database.tcp_port}/wardkeeper"
        run = up(WARDKEEPER_DATABASE_DSN=dsn, WARDKEEPER_BUS_URL=bus.url).wait_ready()
        assert not run.children("postgres")
        assert not run.children("nats-server")
        assert not (data_dir / "house" / "postgres").exists()
        assert run.status_of("/readyz") == 200
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM people_person WHERE username = 'admin'").fetchone()
        assert row == (1,)
        assert run.stop() < 10


def test_single_roles_run_against_servers_of_their_own(data_dir, free_port):
    """As a service manager starts them: `setup` once, then each role by itself."""
    bus = EmbeddedNats(data_dir / "theirs")
    port = free_port()
    with EmbeddedPostgres(data_dir / "theirs", durable=False, tcp_port=free_port()) as database, bus:
        dsn = f"postgresql://wardkeeper:{database.password}@127.0.0.1:{database.tcp_port}/wardkeeper"
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WARDKEEPER_")},
            "WARDKEEPER_DATA": str(data_dir / "ours"),
            "WARDKEEPER_DATABASE_DSN": dsn,
            "WARDKEEPER_BUS_URL": bus.url,
            "WARDKEEPER_WEB_LISTEN": f"127.0.0.1:{port}",
            "WARDKEEPER_ADAPTERS_SYSLOG__PORT": str(free_port()),
            "WARDKEEPER_ADAPTERS_SNMP_TRAP__PORT": str(free_port()),
        }
        command = [sys.executable, "-m", "wardkeeper"]
        done = subprocess.run([*command, "setup"], env=env, capture_output=True, text=True, check=True)
        assert "Sign in as admin" in done.stdout
        roles = [
            subprocess.Popen([*command, "run", role], env=env, stderr=subprocess.DEVNULL)
            for role in ("web", "events", "work", "collect")
        ]
        try:
            wait_for(lambda: status_at(port, "/readyz") == 200, within_s=60)
            wait_for(lambda: status_at(port + 1, "/healthz") == 200, within_s=60)
            assert [role.poll() for role in roles] == [None] * 4
            for role in roles:
                role.terminate()
            assert [role.wait(10) for role in roles] == [0] * 4
        finally:
            for role in roles:
                role.kill()
                role.wait()


def test_commands_reach_the_engines_of_a_running_house_and_start_those_of_a_stopped_one(up, data_dir):
    def told(*words):
        env = {name: value for name, value in os.environ.items() if not name.startswith("WARDKEEPER_")}
        command = [sys.executable, "-m", "wardkeeper", *words, "--data", str(data_dir / "house")]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    run = up().wait_ready()
    while_up = told("token", "create", "admin").splitlines()[-1]
    told("backup", str(data_dir / "while-up.backup"))
    run.stop()
    while_down = told("token", "create", "admin").splitlines()[-1]
    told("backup", str(data_dir / "while-down.backup"))
    again = up().wait_ready()
    for token in (while_up, while_down):
        assert again.status_of("/api/v1/records", {"Authorization": f"Bearer {token}"}) == 200
    assert again.status_of("/api/v1/records") == 401
    again.stop()
