"""Every process dies in turn while a thousand traps come in; each counts once."""

import socket
import threading
import time
from collections import Counter

import psutil
import pytest

from tests.e2e.stories.house import until
from wardkeeper.cli.bench.traps_receive import link_down

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

DEVICES, PORTS = 10, 100
RATE_PER_S = 100.0
DRAINED_WITHIN_S = 150.0


class Sender(threading.Thread):
    """1,000 linkDown traps of ten switches with a hundred ports each, at an even pace."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.sent = 0
        self._port = port

    def run(self) -> None:
        wires = []
        for device in range(DEVICES):
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            wire.bind((f"127.0.8.{device + 1}", 0))
            wire.connect(("127.0.0.1", self._port))
            wires.append(wire)
        began = time.monotonic()
        for port in range(1, PORTS + 1):
            for wire in wires:
                wire.send(link_down(port))
                self.sent += 1
            behind = self.sent / RATE_PER_S - (time.monotonic() - began)
            if behind > 0:
                time.sleep(behind)
        for wire in wires:
            wire.close()


def victims(house):
    """(name, how to find its process now). Named as the supervisor and the machine name them."""
    for role in ("web", "events", "work", "collect"):
        yield role, lambda role=role: house.role(role)
    for engine in ("postgres", "nats-server"):
        yield engine, lambda engine=engine: house.oldest(engine)


def test_each_process_killed_in_turn_during_a_thousand_traps_loses_none_and_doubles_none(house):
    cis = [house.device(f"SW-K{number:02}", f"127.0.8.{number}") for number in range(1, DEVICES + 1)]
    sender = Sender(house.trap_port)
    sender.start()
    killed = []
    # One after the other, while the traps come; the next before all is well again where it happens so.
    for number, (name, find) in enumerate(victims(house)):
        until(lambda wanted=(number + 1) * 140: sender.sent >= wanted, within_s=60, what="the traps are sent")
        victim = find()
        victim.kill()
        killed.append((name, victim))
        until(lambda victim=victim: not is_alive(victim), what=f"{name} dead")
    sender.join(60)
    assert sender.sent == DEVICES * PORTS
    assert len(killed) == 6
    until(house.is_ready, within_s=90, what="everything up again")
    deadline = time.monotonic() + DRAINED_WITHIN_S

    def of_ours(path):
        narrowed = {"state": "all"} if path == "alarms" else {}
        return [each for ci in cis for each in house.all(path, ci=ci, **narrowed)]

    while time.monotonic() < deadline:
        incidents = of_ours("incidents")
        if len(incidents) >= DEVICES * PORTS:
            break
        time.sleep(1)
    alarms = of_ours("alarms")
    # Lost would be fewer, doubled would be more, or a count above the one time that each was said.
    assert len(alarms) == DEVICES * PORTS
    assert Counter(alarm["count"] for alarm in alarms) == {1: DEVICES * PORTS}
    assert len({alarm["fingerprint"] for alarm in alarms}) == DEVICES * PORTS
    assert len({alarm["incident"]["id"] for alarm in alarms}) == DEVICES * PORTS
    assert len(incidents) == DEVICES * PORTS
    assert len({each["number"] for each in incidents}) == DEVICES * PORTS
    until(lambda: all(each["team"] for each in of_ours("incidents")), within_s=120, what="all dispatched")
    assert house.inside("verify") == ""


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
