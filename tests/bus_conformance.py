"""What every carrier must do. `tests/unit/bus` runs it in memory, `tests/integration/bus` on NATS.

A subclass provides `carriers`: a fixture with `open()` (another carrier on the same store).
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

import pytest

from wardkeeper.bus.codec import seal
from wardkeeper.bus.contract import Carrier, Envelope, GroupTaken, MessageTooLarge, Park, Parked, Retry
from wardkeeper.messages import (
    CollectorStarted,
    ContactLogged,
    Message,
    ObservationReceived,
    RecordAssigned,
    RecordOpened,
)

QUICK = Retry(tries=3, first_s=0.05, longest_s=0.2)
DEADLINE_S = 20


class Carriers(Protocol):
    async def open(self) -> Carrier: ...


def contact(number: int, channel: str = "portal") -> ContactLogged:
    return ContactLogged(contact=number, record=None, channel=channel)


def opened(record: int) -> RecordOpened:
    return RecordOpened(
        record=record,
        number=f"20260101-INC-{record:04}",
        kind="incident",
        version=1,
        hospital=1,
        place_path="1.",
        state="new",
        priority=3,
        channel="portal",
    )


def assigned(record: int) -> RecordAssigned:
    return RecordAssigned(
        record=record,
        number=f"20260101-INC-{record:04}",
        kind="incident",
        version=2,
        hospital=1,
        place_path="1.",
        state="assigned",
        priority=3,
        actor=None,
    )


async def collect(
    carrier: Carrier, group: str, topics: Sequence[type[Message]], number: int, *, park: Park | None = None
) -> list[Message]:
    """The first `number` messages, counted as done."""
    taken: list[Message] = []
    stop = asyncio.Event()
    async with asyncio.timeout(DEADLINE_S):
        async for batch in carrier.consume(group, topics, park=park, stop=stop):
            taken.extend(batch.messages)
            if len(taken) >= number:
                stop.set()
    return taken


class CarrierConformance:
    @pytest.fixture
    def carriers(self) -> Carriers:
        raise NotImplementedError

    async def test_two_groups_each_get_all(self, carriers):
        carrier = await carriers.open()
        sent = [contact(number) for number in range(50)]
        await carrier.publish(sent)
        for group in ("one", "two"):
            got = await collect(carrier, group, [ContactLogged], 50)
            assert sorted(got, key=lambda each: each.contact) == sent

    async def test_a_tail_hears_what_is_published_from_now_on_and_nothing_else(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([contact(0), opened(0)])
        heard: list[Message] = []

        async def listen() -> None:
            async with aclosing(carrier.tail([ContactLogged])) as tail:
                async for batch in tail:
                    heard.extend(batch)

        listening = asyncio.create_task(listen())
        async with asyncio.timeout(DEADLINE_S):
            number = 0
            while len(heard) < 3:
                number += 1
                await carrier.publish([opened(number), contact(number)])
                await asyncio.sleep(0)
        listening.cancel()
        numbers = [message.contact for message in heard if isinstance(message, ContactLogged)]
        assert len(numbers) == len(heard)
        assert 0 not in numbers
        assert numbers == sorted(set(numbers))

    async def test_messages_come_back_equal(self, carriers):
        carrier = await carriers.open()
        sent = ObservationReceived(
            collector="local", adapter="syslog", source="192.0.2.1", kind="syslog", fields={"a": 1, "b": None}
        )
        await carrier.publish([sent])
        assert await collect(carrier, "one", [ObservationReceived], 1) == [sent]

    async def test_order_holds_per_key_even_across_topics(self, carriers):
        carrier = await carriers.open()
        sent: list[Message] = [make(record) for record in range(300) for make in (opened, assigned)]
        await carrier.publish(sent[:301])
        await carrier.publish(sent[301:])
        got = await collect(carrier, "one", [RecordOpened, RecordAssigned], 600)
        for record in range(300):
            assert [each.TOPIC for each in got if each.record == record] == [
                "record.opened",
                "record.assigned",
            ]

    async def test_a_group_gets_only_its_topics(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([opened(1), assigned(1), contact(1)])
        got = await collect(carrier, "one", [RecordAssigned], 1)
        assert [each.TOPIC for each in got] == ["record.assigned"]

    async def test_a_consumer_hears_what_is_published_later(self, carriers):
        carrier = await carriers.open()
        waiting = asyncio.create_task(collect(carrier, "one", [ContactLogged], 1))
        await asyncio.sleep(0)
        await carrier.publish([contact(7)])
        assert [each.contact for each in await waiting] == [7]

    async def test_a_restarted_consumer_continues_behind_what_is_done(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([contact(1)])
        assert len(await collect(carrier, "one", [ContactLogged], 1)) == 1
        await carrier.publish([contact(2)])
        again = await carriers.open()
        assert [each.contact for each in await collect(again, "one", [ContactLogged], 1)] == [2]

    async def test_what_was_in_hand_when_the_loop_broke_comes_again(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([contact(1)])
        batches = carrier.consume("one", [ContactLogged])
        async with asyncio.timeout(DEADLINE_S), aclosing(batches):
            async for _ in batches:
                break
        again = await carriers.open()
        assert [each.contact for each in await collect(again, "one", [ContactLogged], 1)] == [1]

    async def test_a_retried_message_comes_after_a_pause_before_its_followers(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([make(record) for record in (1, 2) for make in (opened, assigned)])
        seen: list[tuple[int, str]] = []
        failures = 2
        batches = carrier.consume("one", [RecordOpened, RecordAssigned], retry=QUICK)
        async with asyncio.timeout(DEADLINE_S), aclosing(batches):
            async for batch in batches:
                for message in batch:
                    if message.record == 1 and message.TOPIC == "record.opened" and failures:
                        failures -= 1
                        batch.retry(message, "not now")
                    else:
                        seen.append((message.record, message.TOPIC))
                if len(seen) == 4:
                    break
        assert failures == 0
        assert [topic for record, topic in seen if record == 1] == ["record.opened", "record.assigned"]
        assert [record for record, _ in seen] == [2, 2, 1, 1]

    async def test_a_poison_message_is_parked_with_its_error_while_others_go_on(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([opened(1), assigned(1), *(opened(record) for record in range(2, 40))])
        parked: list[Parked] = []
        seen: list[tuple[int, str]] = []

        async def park(each: Parked) -> None:
            parked.append(each)

        batches = carrier.consume("one", [RecordOpened, RecordAssigned], retry=QUICK, park=park, batch=10)
        async with asyncio.timeout(DEADLINE_S), aclosing(batches):
            async for batch in batches:
                for message in batch:
                    if message.record == 1 and message.TOPIC == "record.opened":
                        batch.retry(message, "poison")
                    else:
                        seen.append((message.record, message.TOPIC))
                if len(seen) == 39:
                    break
        assert [(each.envelope.key, each.error, each.tries, each.group) for each in parked] == [
            ("1", "poison", 3, "one")
        ]
        assert seen[-1] == (1, "record.assigned")

    async def test_what_cannot_be_read_is_parked_and_its_neighbours_arrive(self, carriers):
        carrier = await carriers.open()
        good = seal(contact(1))
        unknown_field = Envelope(good.topic, "x", "1", b"\x81\xa5bogus\x01")
        await carrier.publish([unknown_field, good])
        parked: list[Parked] = []

        async def park(each: Parked) -> None:
            parked.append(each)

        got = await collect(carrier, "one", [ContactLogged], 1, park=park)
        assert [each.contact for each in got] == [1]
        assert [each.error for each in parked] == ["desk.contact_logged: unknown field bogus"]

    async def test_a_second_consumer_of_a_group_ends_the_first(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([contact(1)])
        first = carrier.consume("one", [ContactLogged])
        async with asyncio.timeout(DEADLINE_S), aclosing(first):
            batch = await anext(first)
            assert len(batch.messages) == 1
            second = await carriers.open()
            assert len(await collect(second, "one", [ContactLogged], 1)) == 1
            with pytest.raises(GroupTaken):
                await anext(first)

    async def test_the_loop_ends_when_it_is_told_to_stop(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([contact(1)])
        stop = asyncio.Event()
        async with asyncio.timeout(DEADLINE_S):
            async for batch in carrier.consume("one", [ContactLogged], stop=stop):
                assert len(batch.messages) == 1
                stop.set()
        assert (await carrier.lag("one", [ContactLogged])).bundles == 0

    async def test_lag_counts_what_waits_and_its_age(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([contact(1)])
        await carrier.publish([contact(1)])
        lag = await carrier.lag("one", [ContactLogged, CollectorStarted])
        assert lag.bundles == 2
        assert 0 <= lag.oldest_s < DEADLINE_S
        await collect(carrier, "one", [ContactLogged], 2)
        assert (await carrier.lag("one", [ContactLogged])).bundles == 0

    async def test_trimming_takes_nothing_that_a_group_has_not_done(self, carriers):
        carrier = await carriers.open()
        await carrier.publish([contact(1)])
        await collect(carrier, "one", [ContactLogged], 1)
        await carrier.trim([("one", [ContactLogged]), ("two", [ContactLogged])])
        assert len(await collect(carrier, "two", [ContactLogged], 1)) == 1

    async def test_a_message_that_no_carrier_takes_is_refused_at_once(self, carriers):
        carrier = await carriers.open()
        with pytest.raises(MessageTooLarge):
            await carrier.publish([contact(1, channel="x" * 1_000_000)])
