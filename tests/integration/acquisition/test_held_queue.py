"""A process that dies at any step of any burst: each datagram is published once, in order, none is lost."""

import asyncio
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.integration.acquisition.conftest import until
from wardkeeper.acquisition.held import Burst, HeldQueue, Journal, Step
from wardkeeper.acquisition.sockets import listening


class Died(Exception):
    """kill -9, as far as one process can play it."""


class Mortal(Journal):
    """Dies before or after its `lives`-th write."""

    def __init__(self, path: Path, lives: int, *, before: bool) -> None:
        super().__init__(path)
        self.lives = lives
        self.before = before

    def write(self, step: Step) -> None:
        self.lives -= 1
        if self.lives == 0 and self.before:
            raise Died
        super().write(step)
        if self.lives == 0:
            raise Died


class Half:
    """A socket that dies in the middle of taking out."""

    def __init__(self, bound: socket.socket, drops: int) -> None:
        self._bound = bound
        self._drops = drops

    def recv(self, size: int) -> bytes:
        if self._drops == 0:
            raise Died
        self._drops -= 1
        return self._bound.recv(size)

    def __getattr__(self, name: str):
        return getattr(self._bound, name)


class Bus:
    """Takes each message id once, as every receiver does; may die right after it has it."""

    def __init__(self) -> None:
        self.messages: dict[str, list[bytes]] = {}
        self.dies = False
        self.total = 0

    async def handle(self, burst: Burst) -> None:
        self.messages.setdefault(burst.message_id(0), [each.raw for each in burst.arrivals])
        self.total = sum(map(len, self.messages.values()))
        if self.dies:
            raise Died


class Roomy:
    is_full = False

    async def room(self) -> None: ...


@pytest.fixture
def held() -> Iterator[socket.socket]:
    with listening("test", "udp", SimpleNamespace(host="127.0.0.1", port=0)) as bound:
        yield bound


@pytest.fixture
def sender(held: socket.socket) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.connect(held.getsockname())
        yield made


async def live(queue: HeldQueue, bus: Bus, count: int) -> None:
    """Runs until `count` have been published and taken out, or it dies."""
    running = asyncio.create_task(queue.run(bus.handle, Roomy()))
    try:
        await until(lambda: bus.total >= count or running.done(), 10)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    error = None if running.cancelled() else running.exception()
    if error is not None:
        raise error


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_step_it_dies_at_each_datagram_is_published_once(
    held, sender, tmp_path: Path, seed: int
):
    rng = random.Random(seed)
    bus = Bus()
    sent: list[bytes] = []
    for _ in range(12):
        for _ in range(rng.randint(0, 20)):
            raw = b"" if rng.random() < 0.05 else b"%d" % len(sent)
            sender.send(raw)
            if raw:
                sent.append(raw)
        journal = Mortal(tmp_path / "queue", rng.randint(1, 6), before=rng.random() < 0.5)
        bound = Half(held, rng.randint(0, 15)) if rng.random() < 0.3 else held
        bus.dies = rng.random() < 0.2
        try:
            await live(HeldQueue(bound, journal), bus, len(sent))  # type: ignore[arg-type]  # Half has what it uses
        except Died:
            pass
        finally:
            journal.close()
    bus.dies = False
    journal = Journal(tmp_path / "queue")
    await live(HeldQueue(held, journal), bus, len(sent))
    journal.close()
    assert [raw for burst in bus.messages.values() for raw in burst] == sent


async def test_a_new_socket_is_not_mistaken_for_the_one_of_the_journal(held, sender, tmp_path: Path):
    bus = Bus()
    for n in range(5):
        sender.send(b"%d" % n)
    journal = Mortal(tmp_path / "queue", 1, before=False)
    with pytest.raises(Died):
        await live(HeldQueue(held, journal), bus, 5)
    journal.close()
    with listening("test", "udp", SimpleNamespace(host="127.0.0.1", port=0)) as other:
        sender.connect(other.getsockname())
        sender.send(b"new")
        journal = Journal(tmp_path / "queue")
        await live(HeldQueue(other, journal), bus, 1)
        journal.close()
    assert list(bus.messages.values()) == [[b"new"]]


async def test_a_damaged_journal_is_no_reason_to_stay_silent(held, sender, tmp_path: Path):
    (tmp_path / "queue").write_bytes(b"\xff" * 20)
    sender.send(b"x")
    bus, journal = Bus(), Journal(tmp_path / "queue")
    await live(HeldQueue(held, journal), bus, 1)
    journal.close()
    assert bus.total == 1


async def test_nothing_is_read_while_there_is_no_room(held, sender, tmp_path: Path):
    class Full:
        is_full = True

        async def room(self) -> None:
            await asyncio.Event().wait()

    sender.send(b"x")
    bus, journal = Bus(), Journal(tmp_path / "queue")
    running = asyncio.create_task(HeldQueue(held, journal).run(bus.handle, Full()))
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    journal.close()
    assert bus.total == 0
    assert held.recv(10) == b"x"
