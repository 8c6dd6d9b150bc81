"""The collector's way out: to the bus, else to disk, and in order either way."""

import asyncio

from tests.bus_conformance import DEADLINE_S, collect, contact
from wardkeeper.bus.contract import BusAway
from wardkeeper.bus.memory import MemoryCarrier
from wardkeeper.bus.publisher import Publisher
from wardkeeper.bus.spool import Spool
from wardkeeper.messages import ContactLogged


class _Flaky(MemoryCarrier):
    is_away = False

    async def publish(self, messages) -> None:
        if self.is_away:
            raise BusAway("away")
        await super().publish(messages)


def _contact_zero(number: int) -> ContactLogged:
    """All of one key."""
    return ContactLogged(contact=0, record=number, channel="portal")


async def _until(condition) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - the spool has no event for "empty"
            await asyncio.sleep(0.01)


async def test_while_the_bus_is_there_nothing_touches_the_disk(tmp_path):
    carrier, spool = _Flaky(), Spool(tmp_path, 1 << 24)
    publisher = Publisher(_ready(carrier), spool)
    await publisher.publish([contact(1)])
    assert publisher.spooled_bytes == 0
    assert len(await collect(carrier, "one", [ContactLogged], 1)) == 1


async def test_what_came_while_the_bus_was_away_arrives_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("wardkeeper.bus.publisher._PAUSE_S", 0.01)
    carrier, spool = _Flaky(), Spool(tmp_path, 1 << 24)
    publisher = Publisher(_ready(carrier), spool)
    for number in range(100):
        carrier.is_away = 20 <= number < 60
        await publisher.publish([_contact_zero(number)])
    got = await collect(carrier, "one", [ContactLogged], 100)
    assert [each.record for each in got] == list(range(100))
    await _until(lambda: spool.is_empty)
    await publisher.close()


async def test_a_bus_that_never_answers_costs_one_wait_only(tmp_path):
    never = asyncio.Event()

    async def carrier() -> MemoryCarrier:
        await never.wait()
        raise AssertionError

    publisher = Publisher(carrier, Spool(tmp_path, 1 << 24), patience_s=0.05)
    async with asyncio.timeout(5):
        for number in range(50):
            await publisher.publish([contact(number)])
    assert publisher.spooled_bytes > 0
    await publisher.close()


async def test_what_an_earlier_life_left_is_sent_at_the_start(tmp_path):
    carrier = _Flaky()
    carrier.is_away = True
    first = Publisher(_ready(carrier), Spool(tmp_path, 1 << 24))
    await first.publish([contact(1)])
    await first.close()
    carrier.is_away = False
    second = Publisher(_ready(carrier), Spool(tmp_path, 1 << 24))
    await second.start()
    assert len(await collect(carrier, "one", [ContactLogged], 1)) == 1
    await second.close()


async def test_a_message_that_no_bus_takes_does_not_hold_the_others(tmp_path):
    carrier = _Flaky()
    publisher = Publisher(_ready(carrier), Spool(tmp_path, 1 << 24))
    await publisher.publish([contact(1, channel="x" * 1_000_000), contact(2)])
    assert publisher.refused == 1
    assert [each.contact for each in await collect(carrier, "one", [ContactLogged], 1)] == [2]


def _ready(carrier: MemoryCarrier):
    async def get() -> MemoryCarrier:
        return carrier

    return get
