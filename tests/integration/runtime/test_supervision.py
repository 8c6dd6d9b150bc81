"""A house lives, loses members, is killed, and comes back."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

import psycopg
import pytest

from tests.integration.runtime.conftest import is_alive, sleeper, wait_for
from wardkeeper.runtime.postgres import EmbeddedPostgres

STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(60)"


def ours(stand):
    """The address of the house's database, asked by name of its data directory."""
    return EmbeddedPostgres(stand.data_dir).dsn


def test_second_start_finds_what_the_first_wrote(launch):
    first = launch(sleeper("work"))
    first.wait_ready()
    with psycopg.connect(ours(first)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    second = launch(sleeper("work"))
    second.wait_ready()
    with psycopg.connect(ours(second)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_dead_role_is_started_again(launch):
    stand = launch(sleeper("work"))
    stand.wait_ready()
    before = stand.role_pid("work")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: stand.role_pid("work") not in {0, before})
    wait_for(lambda: stand.facts()["roles"]["work"]["state"] == "up")
    assert stand.facts()["roles"]["work"]["restarts"] == 1


def test_role_that_dies_at_once_is_started_ever_later(launch):
    stand = launch({"name": "work", "command": [sys.executable, "-S", "-c", "raise SystemExit('no luck')"]})
    wait_for(lambda: stand.text().count("event=role.died") >= 4)
    pauses = [part.split()[0] for part in stand.text().split("again_in_s=")[1:]]
    assert pauses[:4] == ["0.1", "0.5", "1", "2"]
    assert 'last_words="no luck"' in stand.text()


def test_grandchildren_of_a_killed_role_do_not_survive_it(launch, data_dir):
    pid_file = data_dir / "grandchild"
    fork = f"import os, time\npid = os.fork()\nif pid: open({str(pid_file)!r}, 'w').write(str(pid))\ntime.sleep(600)"
    stand = launch({"name": "web", "command": [sys.executable, "-S", "-c", fork]})
    stand.wait_ready()
    grandchild = int(wait_for(lambda: pid_file.exists() and pid_file.read_text()))
    os.kill(stand.role_pid("web"), signal.SIGKILL)
    wait_for(lambda: not is_alive(grandchild))


@pytest.mark.parametrize("program", ["postgres", "nats-server"])
def test_killed_engine_is_started_again(launch, program):
    stand = launch(sleeper("work"))
    stand.wait_ready()
    before = stand.engine_pid(program)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: "event=engine.restarted" in stand.text())
    assert stand.engine_pid(program) != before
    with psycopg.connect(ours(stand)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_ends_everything_in_under_ten_seconds_even_the_stubborn(launch, number):
    stubborn = [sys.executable, "-S", "-c", STUBBORN]
    names = ("collect", "web", "events", "work")
    stand = launch(*({"name": name, "command": stubborn} for name in names))
    stand.wait_ready()
    assert stand.stop(number) < 10
    order = [part.split()[0] for part in stand.text().split("event=role.stopped role=")[1:]]
    assert order == list(names)


def test_children_die_with_a_killed_parent_and_the_next_start_recovers(launch):
    stand = launch(sleeper("work"), sleeper("collect"))
    stand.wait_ready()
    with psycopg.connect(ours(stand)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(stand.process.pid, signal.SIGKILL)
    stand.process.wait()
    again = launch(sleeper("work"))
    again.wait_ready()
    assert not stand.survivors()
    with psycopg.connect(ours(again)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_next_start_recovers_when_everything_was_killed(launch):
    stand = launch(sleeper("work"))
    stand.wait_ready()
    connection = psycopg.connect(ours(stand), autocommit=True)
    connection.execute("CREATE TABLE kept (n integer)")
    connection.execute("INSERT INTO kept SELECT generate_series(1, 10000)")
    stand.kill_everything()
    stand.process.wait()
    again = launch(sleeper("work"))
    again.wait_ready()
    with psycopg.connect(ours(again)) as fresh:
        assert fresh.execute("SELECT count(*) FROM kept").fetchone() == (10000,)


@pytest.mark.slow
def test_next_start_ends_orphans_that_outlived_their_parent(launch):
    stand = launch({"name": "work", "command": [sys.executable, "-S", "-c", STUBBORN]})
    stand.wait_ready()
    orphan, server = stand.role_pid("work"), stand.engine_pid("postgres")
    os.kill(server, signal.SIGSTOP)  # so that it cannot obey the kernel's signal either
    os.kill(stand.process.pid, signal.SIGKILL)
    stand.process.wait()
    assert {orphan, server} <= stand.survivors()
    again = launch(sleeper("work"))
    try:
        again.wait_ready(within_s=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGCONT)
    assert not stand.survivors()


COLLECTOR = """
import json, os, socket
number = json.loads(os.environ["WARDKEEPER_SOCKETS"])["syslog:udp"]
bound = socket.socket(fileno=os.dup(number))
sink = os.open({sink!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
while True:
    os.write(sink, bound.recv(65535) + b"\\n")
"""


def test_held_socket_keeps_datagrams_while_the_collector_restarts(launch, data_dir, free_port):
    sink, port = data_dir / "received", free_port()
    code = COLLECTOR.format(sink=str(sink))
    collector = {"name": "collect", "command": [sys.executable, "-c", code]}
    stand = launch(collector, env={"WARDKEEPER_TEST_UDP": str(port)})
    stand.wait_ready()

    def lines():
        return sink.read_bytes().splitlines() if sink.exists() else []

    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def has(count: int):
        return lambda: len(lines()) >= count

    def is_gone(pid: int):
        return lambda: not is_alive(pid)

    for first, last in ((0, 200), (200, 500), (500, 800), (800, 1000)):
        for number in range(first, last):
            sender.sendto(str(number).encode(), ("127.0.0.1", port))
        wait_for(has(last))
        if last < 1000:
            # A datagram that it has read but not yet written would die with it: that is not the socket's loss.
            victim = wait_for(lambda: stand.role_pid("collect"))
            os.kill(victim, signal.SIGKILL)
            wait_for(is_gone(victim))
    assert [int(line) for line in lines()] == list(range(1000))


def test_data_directory_in_use_is_refused_naming_the_process(launch):
    first = launch(sleeper("work"))
    first.wait_ready()
    second = launch(sleeper("work"), env={})
    assert second.process.wait(20) == 1
    assert f"is in use by process {first.process.pid}" in second.text()


def test_status_is_json_of_all_members(launch):
    stand = launch(sleeper("work"))
    stand.wait_ready()
    facts = stand.facts()
    assert set(facts["engines"]) == {"postgres", "nats"}
    assert facts["pid"] == stand.process.pid
    assert json.dumps(facts)


def test_engines_are_gone_when_start_fails(launch, data_dir):
    broken = data_dir / "missing-program"
    stand = launch({"name": "work", "command": [str(broken)]})
    assert stand.process.wait(30) == 1
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(stand.data_dir) not in listing
