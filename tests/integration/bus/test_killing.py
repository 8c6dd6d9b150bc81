"""Ten thousand messages from fact to effect while every part on the way is killed with SIGKILL, in turn."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction

from wardkeeper.bus.outbox import announce
from wardkeeper.messages import ContactLogged
from wardkeeper.runtime.nats import EmbeddedNats

KEYS = 100
MESSAGES = 10_000
KILLS = 6
SHARE = MESSAGES // (KILLS + 1) // 2 * 2
DEADLINE_S = 60


def wait_for(condition: Callable[[], bool], what: str, house: "House") -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {DEADLINE_S} s; {house.last_words()}"
        ended = [name for name, process in house.processes.items() if process.poll() is not None]
        assert not ended, f"{ended} ended by themselves; {house.last_words()}"
        time.sleep(0.02)


class House:
    """NATS, the work role and a relay that stands by, on the test database."""

    def __init__(self, data_dir: Path) -> None:
        self.nats = EmbeddedNats(data_dir)
        self.log_path = data_dir / "processes.log"
        self.log = self.log_path.open("w")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        if name == "nats":
            self.nats.start()
            return
        address = urlsplit(os.environ["WARDKEEPER_DATABASE_DSN"])
        env = os.environ | {
            "WARDKEEPER_DATABASE_DSN": address._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
            "WARDKEEPER_BUS_URL": self.nats.url,
        }
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.bus_processes", name],
            cwd=Path(__file__).parents[3],
            env=env,
            stdout=self.log,
            stderr=self.log,
        )

    def pid(self, name: str) -> int:
        if name != "nats":
            return self.processes[name].pid
        assert self.nats.pid is not None
        return self.nats.pid

    def kill(self, name: str) -> None:
        os.kill(self.pid(name), signal.SIGKILL)
        if name == "nats":
            self.nats.stop()
        else:
            self.processes[name].wait()

    def last_words(self) -> str:
        return self.log_path.read_text()[-2000:]

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.nats.stop()
        self.log.close()


@pytest.fixture
def house(data_dir, committed) -> Iterator[House]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bus_test_effect")
        cursor.execute("CREATE TABLE bus_test_effect (id bigserial PRIMARY KEY, key int, number int)")
    made = House(data_dir)
    try:
        for name in ("nats", "work", "relay"):
            made.start(name)
        yield made
    finally:
        made.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bus_test_effect")


def effects() -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, number FROM bus_test_effect ORDER BY id")
        return list(cursor.fetchall())


def announce_range(first: int, last: int) -> None:
    """Message n of key n % KEYS has number n, so that within a key numbers rise."""
    with transaction.atomic():
        announce(
            *(
                ContactLogged(contact=number % KEYS, record=number, channel="portal")
                for number in range(first, last)
            )
        )


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_ten_thousand_messages_take_effect_once_and_in_order_while_all_parts_are_killed(house):
    announced = 0
    victims = cycle(("nats", "work", "relay"))
    for _ in range(KILLS):
        before = len(effects())
        announce_range(announced, announced + SHARE // 2)
        announced += SHARE // 2
        # The last victim is back at work: this kill hits a running house.
        wait_for(lambda before=before: len(effects()) > before, "an effect since the last kill", house)
        announce_range(announced, announced + SHARE // 2)
        announced += SHARE // 2
        victim = next(victims)
        house.kill(victim)
        house.start(victim)
    announce_range(announced, MESSAGES)
    wait_for(lambda: len(effects()) >= MESSAGES, "all effects", house)

    found = effects()
    assert sorted(number for _, number in found) == list(range(MESSAGES)), "each once, none lost"
    for key in range(KEYS):
        numbers = [number for each, number in found if each == key]
        assert numbers == sorted(numbers), f"key {key} out of order"


def test_the_work_role_stops_within_five_seconds_when_asked(house):
    announce_range(0, 10)
    wait_for(lambda: len(effects()) == 10, "effects", house)
    asked_at = time.monotonic()
    house.processes["work"].send_signal(signal.SIGTERM)
    assert house.processes["work"].wait(5) == 0, house.last_words()
    assert time.monotonic() - asked_at < 5


def test_the_work_role_stops_as_quickly_while_the_bus_is_away(house):
    announce_range(0, 10)
    wait_for(lambda: len(effects()) == 10, "effects", house)
    house.kill("nats")
    house.processes["work"].send_signal(signal.SIGTERM)
    assert house.processes["work"].wait(5) == 0, house.last_words()
