"""One collector process polling switches of 48 ports by SNMP v2c: how many variables a second, how much of a core.

`variables_per_s`: switches polled back to back, against an agent that replays answers it encoded once, so that
the poller is the limit. `snmpd_variables_per_s`: the same against net-snmp's agent with this machine's own
interfaces, which needs more time for an answer than the poller. `cpu_share`: of one core, for 1,000 switches
every 60 s by the scheduler of the collector; measured at 12 s, at 60 s for five times as many and more.
`dead_delay_ms`: how much longer the slowest hundredth of the polls of a live switch takes while 500 dead ones
are waited for.
"""

import asyncio
import contextlib
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from wardkeeper.acquisition.adapters.snmp_poll.adapter import forget, poll
from wardkeeper.acquisition.contract import Device
from wardkeeper.acquisition.scheduler import Scheduler
from wardkeeper.cli.bench._snmp_agent import bound, in_own_process, switch
from wardkeeper.messages import Message, Target

SETTINGS = {"version": "2c", "ports": 48, "variables_a_poll": 435, "seconds": 5}

PORTS = 48
AT_ONCE = 50
DEAD = 500
DEAD_POLL_S = 4.0
SECONDS = 5.0
DEVICES = 1000
INTERVAL_S = 60.0
MEASURED_INTERVAL_S = 12.0


class Counting:
    """An Emit that counts what is handed on and lets it go."""

    collector = "bench"

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __call__(self, message: Message) -> None:
        self.counts[message.TOPIC] += 1

    def malformed(self, raw: bytes, source: str, reason: str) -> None:  # noqa: ARG002 - the contract's shape
        self.counts[f"malformed.{reason}"] += 1

    def count(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount


def run(scale: float) -> dict[str, float]:
    """The figures; `scale` multiplies the number of devices."""
    _allow_many_sockets()
    figures: dict[str, float] = {}
    with in_own_process(switch(PORTS)) as port:
        at_once = max(int(AT_ONCE * scale), 1)
        figures["variables_per_s"], figures["poll_cpu_ms"] = asyncio.run(_flat_out(port, at_once))
        figures["cpu_share"] = asyncio.run(
            _on_schedule(
                port, max(int(DEVICES * scale), 1), min(MEASURED_INTERVAL_S * max(scale, 1), INTERVAL_S)
            )
        )
        figures["dead_delay_ms"] = asyncio.run(_beside_the_dead(port, max(int(DEAD * scale), 1)))
    with _snmpd() as port:
        if port:
            figures["snmpd_variables_per_s"], _ = asyncio.run(_flat_out(port, AT_ONCE))
    return figures


def _allow_many_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _device(name: str, port: int) -> Device:
    return Device(name, 1, INTERVAL_S, 20.0, {"host": "127.0.0.1", "port": port})


async def _flat_out(port: int, at_once: int) -> tuple[float, float]:
    """Variables a second, and milliseconds of processor time for a poll, once every device is known."""
    emit = Counting()
    devices = [_device(f"flat {each}", port) for each in range(at_once)]
    await asyncio.gather(*(poll(device, emit) for device in devices))
    emit.counts.clear()
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    polls = await _polled_for(SECONDS, devices, emit)
    elapsed_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    for device in devices:
        forget(device.target)
    return emit.counts["variables"] / elapsed_s, cpu_s / len(polls) * 1000


async def _polled_for(seconds: float, devices: list[Device], emit: Counting) -> list[float]:
    """Polls every device over and over; how long each poll took, in milliseconds."""
    until_s = time.perf_counter() + seconds
    took_ms: list[float] = []

    async def over_and_over(device: Device) -> None:
        while (began_s := time.perf_counter()) < until_s:
            await poll(device, emit)
            took_ms.append((time.perf_counter() - began_s) * 1000)

    await asyncio.gather(*(over_and_over(device) for device in devices))
    return took_ms


async def _on_schedule(port: int, devices: int, interval_s: float) -> float:
    """Share of a core that `devices` take at INTERVAL_S, by the collector's own scheduler."""
    emit = Counting()
    known = [_device(f"plan {each}", port) for each in range(devices)]
    # What a device consists of is asked once an hour; measured at a fifth of the interval it would
    # count as if it were asked every twelve minutes.
    for start in range(0, devices, AT_ONCE):
        await asyncio.gather(*(poll(device, emit) for device in known[start : start + AT_ONCE]))
    scheduler = Scheduler(emit_for=lambda _: emit, open_secrets=_nothing_sealed)
    scheduler.assign(
        Target(
            id=each.target,
            ci=each.ci,
            adapter="snmp_poll",
            interval_s=interval_s,
            config=each.config,
        )
        for each in known
    )
    try:
        await asyncio.sleep(interval_s)
        polls_before = scheduler.counts["polls"]
        began_cpu_s = time.process_time()
        await asyncio.sleep(interval_s)
        cpu_s = time.process_time() - began_cpu_s
        polls = scheduler.counts["polls"] - polls_before
    finally:
        await scheduler.stop()
        for each in known:
            forget(each.target)
    # By what was really polled: at ten times the devices the agent, not the poller, may be the limit.
    return cpu_s / polls * devices / INTERVAL_S


def _nothing_sealed(_: str) -> Mapping[str, str]:
    return {}


async def _beside_the_dead(port: int, dead: int) -> float:
    """Milliseconds by which the 99th percentile of a live device's polls grows beside so many dead devices."""
    emit = Counting()
    live = [_device("live", port)]
    await poll(live[0], emit)
    alone = await _polled_for(SECONDS / 2, live, emit)
    with bound() as silent:
        gone = [_device(f"dead {each}", silent.getsockname()[1]) for each in range(dead)]
        polls = [
            asyncio.ensure_future(_again_and_again(device, emit, first_in_s=number / dead * DEAD_POLL_S))
            for number, device in enumerate(gone)
        ]
        await asyncio.sleep(DEAD_POLL_S)
        beside = await _polled_for(SECONDS / 2, live, emit)
        for each in polls:
            each.cancel()
        await asyncio.gather(*polls, return_exceptions=True)
    for device in live + gone:
        forget(device.target)
    return _p99(beside) - _p99(alone)


async def _again_and_again(device: Device, emit: Counting, *, first_in_s: float) -> None:
    await asyncio.sleep(first_in_s)
    while True:
        await poll(device, emit)


def _p99(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]


@contextlib.contextmanager
def _snmpd() -> Iterator[int]:
    """net-snmp's agent on loopback; gives its port, 0 if this machine has none."""
    program = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin")
    if program is None:
        yield 0
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "snmpd.conf")
        settings.write_text(f"agentAddress udp:127.0.0.1:{port}\nrocommunity public 127.0.0.1\n")
        process = subprocess.Popen(
            [program, "-f", "-Lf", "/dev/null", "-C", "-c", str(settings), "-I", "-smux"],
            env={"SNMP_PERSISTENT_DIR": folder, "MIBS": ""},
        )
        try:
            yield port if asyncio.run(_answers(port)) else 0
        finally:
            process.terminate()
            process.wait(5)


async def _answers(port: int) -> bool:
    """Whether an agent is heard within 5 s."""
    emit = Counting()
    for _ in range(50):
        await poll(_device("snmpd", port), emit)
        if emit.counts["collection.device"] and emit.counts["variables"]:
            forget("snmpd")
            return True
        await asyncio.sleep(0.1)
    return False
