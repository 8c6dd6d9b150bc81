"""The collector with its server away, late and back; and one adapter in the terminal."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.acquisition.conftest import Ear, until
from wardkeeper import bus
from wardkeeper.acquisition.adapters import snmp_trap
from wardkeeper.messages import CollectorStarted, SamplesCollected, Target, TargetsAssigned
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.settings.schema import Bus
from wardkeeper.settings.vault import Vault

SAMPLES = Path(snmp_trap.__file__).parent / "samples"


def watching(port: int, version: int = 1, *, collector: str = "local") -> TargetsAssigned:
    target = Target(
        id="9", ci=5, adapter="tcp", interval_s=1.0, config={"host": "127.0.0.1", "port": port}, secrets=""
    )
    return TargetsAssigned(collector=collector, version=version, targets=(target,))


async def test_it_asks_for_targets_polls_them_and_polls_on_after_a_restart_without_asking_twice(house, ear):
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        service.listen()
        port = service.getsockname()[1]
        house.start()
        await until(lambda: ear.of(CollectorStarted))
        await ear.assign(watching(1, 5, collector="another"))
        await ear.assign(watching(port, 3))
        await until(lambda: len(ear.of(SamplesCollected)) >= 2)
        first = ear.of(SamplesCollected)[0]
        assert (first.target, first.ci, first.collector) == ("9", 5, "local")
        house.kill()
        kept = house.data / "collect" / "targets.json"
        assert kept.stat().st_mode & 0o777 == 0o600
        before = len(ear.of(SamplesCollected))
        house.start()
        await until(lambda: len(ear.of(SamplesCollected)) >= before + 2)
        assert (await house.started())["targets"] == {"version": 3, "count": 1}


async def test_an_older_list_changes_nothing_and_a_newer_one_replaces(house, ear):
    house.start()
    await ear.assign(watching(1, 7))
    await until((house.data / "collect" / "targets.json").exists)
    await ear.assign(watching(2, 6))
    await ear.assign(TargetsAssigned(collector="local", version=8, targets=()))
    path = house.data / "collect" / "targets.json"
    await until(lambda: json.loads(path.read_text())["version"] == 8)
    assert house.stop() == 0
    assert house.status()["targets"]["version"] == 8


async def test_secrets_stay_sealed_on_disk_and_out_of_log_and_status(house, ear):
    sealed = Vault("only-for-tests-" + "0" * 32).seal({"community": "very-secret-word"})
    target = Target(
        id="1",
        ci=1,
        adapter="snmp_poll",
        interval_s=1.0,
        config={"host": "127.0.0.1", "port": 1},
        secrets=sealed,
    )
    house.start()
    await ear.assign(TargetsAssigned(collector="local", version=1, targets=(target,)))
    await until((house.data / "collect" / "targets.json").exists)
    await until(lambda: ear.of(SamplesCollected), 30)
    assert house.stop() == 0
    for path in house.data.rglob("*"):
        if path.is_file():
            assert b"very-secret-word" not in path.read_bytes(), path


@pytest.mark.slow
async def test_what_comes_while_the_bus_is_away_is_kept_and_told_when_it_is_back(house, tmp_path):
    own = EmbeddedNats(tmp_path / "own")
    house.bus_url = own.start()
    try:
        house.start()
        await house.started()
        own.stop()
        raw = bytes.fromhex((SAMPLES / "v2c-inform-cold-start.hex").read_text())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(20)
            sender.connect(house.held["snmp_trap:udp"].getsockname())
            sender.send(raw)
            # Answered although the bus is away: it is on disk.
            assert await asyncio.to_thread(sender.recv, 65535)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for n in range(50):
                sender.sendto(b"<11>n: %d" % n, house.held["syslog:udp"].getsockname())
        await until(lambda: house.status()["spooled_bytes"] > 0, 20)
        house.kill()
        house.start()
        own.start()
        carrier = await bus.connect(Bus(url=own.url, prefix=house.prefix))
        ear = Ear(carrier)
        hearing = asyncio.create_task(ear.hear())
        assert len(await ear.wait("snmp_trap", 1, 40)) == 1
        rows = await ear.wait("syslog", 50, 40)
        assert [row.fields["message"] for row in rows] == [str(n) for n in range(50)]
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await carrier.close()
    finally:
        own.stop()


def trying(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wardkeeper", "adapter", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_list_names_every_adapter_with_its_kind():
    listed = trying("list", "--json")
    assert listed.returncode == 0
    kinds = {each["name"]: each["kind"] for each in map(json.loads, listed.stdout.splitlines())}
    assert {"syslog": "listener", "snmp_trap": "listener", "tcp": "poller"}.items() <= kinds.items()


def test_try_polls_once_and_prints_one_line():
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        service.listen()
        tried = trying("try", "tcp", "host=127.0.0.1", f"port={service.getsockname()[1]}")
    assert tried.returncode == 0, tried.stderr
    (line,) = map(json.loads, tried.stdout.splitlines())
    assert line["samples"]["tcp.open"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing",), "there are: "),
        (("syslog", "prot=1"), "known: host, port"),
        (("syslog", "port"), "not KEY=VALUE"),
        (("syslog", "count=-1"), "above 0"),
        (("syslog", "interval=5"), "does not poll"),
        (("snmp_trap", "users=[{]"), "no valid JSON"),
        (("snmp_trap", 'users=[{"name":"x","auth":"ROT13","auth_key":"12345678"}]', "port=0"), "ROT13"),
    ],
)
def test_try_refuses_what_makes_no_sense_with_one_line(arguments: tuple[str, ...], told: str):
    tried = trying("try", *arguments)
    assert tried.returncode == 2
    assert told in tried.stderr
    assert "Traceback" not in tried.stderr


@pytest.mark.peer("snmpinform")
def test_try_prints_what_a_listener_hears_answers_and_ends_after_count(free_port, tmp_path: Path):
    port = free_port()
    listening = subprocess.Popen(
        [sys.executable, "-m", "wardkeeper", "adapter", "try", "snmp_trap", f"port={port}", "count=1"],
        env={**os.environ, "WARDKEEPER_DATA": str(tmp_path / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert listening.stderr is not None
        assert "listening" in listening.stderr.readline()
        command = ["snmpinform", "-v2c", "-c", "public", f"127.0.0.1:{port}", "1", "1.3.6.1.6.3.1.1.5.1"]
        assert subprocess.run(command, timeout=20, check=False).returncode == 0
        said, _ = listening.communicate(timeout=20)
    finally:
        if listening.poll() is None:
            listening.kill()
            listening.wait()
    (line,) = map(json.loads, said.splitlines())
    assert line["kind"] == "1.3.6.1.6.3.1.1.5.1"
    assert not (tmp_path / "data").exists()
