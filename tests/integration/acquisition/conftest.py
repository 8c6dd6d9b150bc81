"""A real collector process under a test that holds its sockets, and an ear on the bus."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wardkeeper import bus
from wardkeeper.acquisition.sockets import listening
from wardkeeper.messages import (
    CollectorStarted,
    DeviceDescribed,
    Message,
    ObservationReceived,
    ObservationsReceived,
    SamplesCollected,
    TargetsAssigned,
)
from wardkeeper.settings.schema import Bus

USERS = """
[[adapters.snmp_trap.users]]
name = "secure"
auth = "SHA"
auth_key = "authpass12"
priv = "AES128"
priv_key = "privpass12"
[[adapters.snmp_trap.users]]
name = "strong"
auth = "SHA256"
auth_key = "authpass12"
priv = "AES256"
priv_key = "privpass12"
[[adapters.snmp_trap.users]]
name = "old"
auth = "MD5"
auth_key = "authpass12"
priv = "DES"
priv_key = "privpass12"
[[adapters.snmp_trap.users]]
name = "long"
auth = "SHA512"
auth_key = "authpass12"
[[adapters.snmp_trap.users]]
name = "open"
"""


async def until(condition: Callable[[], Any], within_s: float = 15.0) -> Any:
    """What `condition` returns once it is true."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)
    return found


@dataclass
class House:
    """What the supervisor is to a collector: holds its sockets, starts it, may kill it."""

    data: Path
    bus_url: str
    prefix: str
    held: dict[str, socket.socket]
    settings: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def port(self, name: str) -> int:
        return int(self.held[name].getsockname()[1])

    def start(self) -> subprocess.Popen[bytes]:
        config = self.data / "wardkeeper.toml"
        config.write_text(f'[bus]\nprefix = "{self.prefix}"\n{self.settings}\n', encoding="utf-8")
        numbers = {name: each.fileno() for name, each in self.held.items()}
        environment = {
            **os.environ,
            "WARDKEEPER_DATA": str(self.data),
            "WARDKEEPER_CONFIG": str(config),
            "WARDKEEPER_BUS_URL": self.bus_url,
            "WARDKEEPER_SECRET_KEY": "only-for-tests-" + "0" * 32,
            "WARDKEEPER_SOCKETS": json.dumps(numbers),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "wardkeeper", "run", "collect"],
            env=environment,
            pass_fds=list(numbers.values()),
            stderr=(self.data / "collect.log").open("ab"),
        )
        self.processes.append(process)
        return process

    def kill(self) -> None:
        self.processes[-1].kill()
        self.processes[-1].wait()

    def stop(self) -> int:
        self.processes[-1].terminate()
        return self.processes[-1].wait(10)

    def status(self) -> dict[str, Any]:
        path = self.data / "run" / "collect.json"
        return json.loads(path.read_text()) if path.exists() else {}

    async def started(self) -> dict[str, Any]:
        """Waits until the newest process has written its status, its listeners running."""
        pid = self.processes[-1].pid
        await until(lambda: self.status().get("pid") == pid)
        return self.status()

    def log(self) -> str:
        return (self.data / "collect.log").read_text()


@pytest.fixture
def house(tmp_path: Path, nats_url: str) -> Iterator[House]:
    anywhere = SimpleNamespace(host="127.0.0.1", port=0)
    held = {
        "syslog:udp": listening("syslog", "udp", anywhere),
        "syslog:tcp": listening("syslog", "tcp", anywhere),
        "snmp_trap:udp": listening("snmp_trap", "udp", anywhere),
    }
    made = House(tmp_path, nats_url, f"t{uuid.uuid4().hex[:10]}", held, settings=USERS)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
            process.wait()
    for each in held.values():
        each.close()


@dataclass
class Ear:
    """Everything the collector says on the bus; a message that comes twice is there once, as for any receiver."""

    carrier: bus.Carrier
    messages: dict[str, Message] = field(default_factory=dict)

    def rows(self, adapter: str) -> list[ObservationReceived]:
        return [
            row
            for each in self.messages.values()
            if isinstance(each, ObservationsReceived) and each.adapter == adapter
            for row in each.split()
        ]

    def of(self, kind: type[Message]) -> list[Message]:
        return [each for each in self.messages.values() if isinstance(each, kind)]

    async def hear(self) -> None:
        topics = [ObservationsReceived, CollectorStarted, SamplesCollected, DeviceDescribed]
        async for batch in self.carrier.consume("test", topics):
            for message in batch:
                self.messages[message.id] = message

    async def wait(self, adapter: str, count: int, within_s: float = 20.0) -> list[ObservationReceived]:
        await until(lambda: len(self.rows(adapter)) >= count, within_s)
        return self.rows(adapter)

    async def assign(self, assigned: TargetsAssigned) -> None:
        await self.carrier.publish([assigned])


@pytest.fixture
async def ear(house: House) -> AsyncIterator[Ear]:
    carrier = await bus.connect(Bus(url=house.bus_url, prefix=house.prefix))
    made = Ear(carrier)
    hearing = asyncio.create_task(made.hear())
    yield made
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    await carrier.close()
