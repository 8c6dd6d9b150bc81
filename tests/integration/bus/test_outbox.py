"""Facts and their messages live or die together, on a real PostgreSQL."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from tests.bus_conformance import DEADLINE_S, assigned, collect, contact, opened
from wardkeeper.bus.codec import seal
from wardkeeper.bus.contract import BusAway, Envelope, MessageTooLarge
from wardkeeper.bus.memory import MemoryCarrier
from wardkeeper.bus.models import OutboxMessage, ParkedMessage, TakenMessage
from wardkeeper.bus.outbox import OutsideTransaction, announce, once, prune
from wardkeeper.bus.relay import Relay
from wardkeeper.messages import ContactLogged, RecordAssigned, RecordOpened, new_id


@pytest.mark.usefixtures("committed")
def test_announcing_outside_a_transaction_is_refused():
    with pytest.raises(OutsideTransaction):
        announce(contact(1))
    with pytest.raises(OutsideTransaction):
        once("one", [contact(1)])


@pytest.mark.usefixtures("committed")
def test_a_fact_that_is_rolled_back_announces_nothing():
    with transaction.atomic():
        announce(contact(1))
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.exists()


@pytest.mark.usefixtures("committed")
def test_announcing_many_costs_one_statement(django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(1):
        announce(*(contact(number) for number in range(100)))


@pytest.mark.usefixtures("committed")
def test_a_message_too_large_for_the_bus_fails_with_its_fact():
    with pytest.raises(MessageTooLarge), transaction.atomic():
        announce(contact(1, channel="x" * 1_000_000))


@pytest.mark.usefixtures("committed")
@transaction.atomic
def test_once_lets_a_message_through_once_per_group():
    sent = [contact(number) for number in range(3)]
    assert once("one", [*sent, sent[0]]) == sent
    assert once("one", sent) == []
    assert once("two", reversed_ := sent[::-1]) == reversed_


@pytest.mark.usefixtures("committed")
def test_once_costs_one_statement(django_assert_num_queries):
    sent = [contact(number) for number in range(200)]
    with transaction.atomic(), django_assert_num_queries(1):
        assert once("one", sent) == sent
    with transaction.atomic(), django_assert_num_queries(0):
        assert once("one", []) == []


@pytest.mark.usefixtures("committed")
def test_once_waits_for_the_other_transaction_that_takes_the_same_message():
    message = contact(1)
    results: list[int] = []

    def other() -> None:
        with transaction.atomic():
            results.append(len(once("one", [message])))
        connection.close()

    with transaction.atomic():
        assert once("one", [message]) == [message]
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive(), "it must not decide before we commit"
    thread.join(DEADLINE_S)
    assert results == [0]


@pytest.mark.usefixtures("committed")
def test_pruning_forgets_only_what_is_old():
    with transaction.atomic():
        once("one", [contact(1), contact(2)])
    TakenMessage.objects.filter(pk=TakenMessage.objects.values_list("group", "message_id").first()).update(
        taken_at=datetime.now(UTC) - timedelta(days=4)
    )
    assert prune(datetime.now(UTC) - timedelta(days=3)) == 1
    assert TakenMessage.objects.count() == 1


def _rows_left() -> bool:
    try:
        return OutboxMessage.objects.exists()
    finally:
        connection.close()


async def _relay_until_empty(carrier) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Relay(carrier).run(stop))
    try:
        async with asyncio.timeout(DEADLINE_S):
            while await asyncio.to_thread(_rows_left):  # noqa: ASYNC110 - the database has no event for "empty"
                await asyncio.sleep(0.01)
    finally:
        stop.set()
        await asyncio.wait_for(running, DEADLINE_S)


@pytest.mark.usefixtures("committed")
async def test_the_relay_sends_in_order_and_leaves_nothing():
    carrier = MemoryCarrier()
    await asyncio.to_thread(_announce, [make(record) for record in range(50) for make in (opened, assigned)])
    await _relay_until_empty(carrier)
    got = await collect(carrier, "one", [RecordOpened, RecordAssigned], 100)
    for record in range(50):
        assert [each.TOPIC for each in got if each.record == record] == ["record.opened", "record.assigned"]


@pytest.mark.usefixtures("committed")
async def test_the_relay_is_woken_by_a_commit():
    carrier = MemoryCarrier()
    stop = asyncio.Event()
    running = asyncio.create_task(Relay(carrier).run(stop))
    for number in range(3):
        await asyncio.sleep(0.1)  # it has gone to sleep by now
        asked_at = asyncio.get_running_loop().time()
        await asyncio.to_thread(_announce, [contact(number)])
        await collect(carrier, f"group-{number}", [ContactLogged], number + 1)
        assert asyncio.get_running_loop().time() - asked_at < 1, "the slow look alone takes up to 2 s"
    stop.set()
    await asyncio.wait_for(running, DEADLINE_S)


@pytest.mark.usefixtures("committed")
async def test_a_row_that_becomes_visible_late_is_not_skipped():
    carrier = MemoryCarrier()
    begun, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            announce(contact(1))
            begun.set()
            finish.wait(DEADLINE_S)
        connection.close()

    thread = asyncio.create_task(asyncio.to_thread(slow))
    await asyncio.to_thread(begun.wait)
    await asyncio.to_thread(_announce, [contact(2)])
    await _relay_until_empty(carrier)
    finish.set()
    await thread
    await _relay_until_empty(carrier)
    assert {each.contact for each in await collect(carrier, "one", [ContactLogged], 2)} == {1, 2}


class _Refusing(MemoryCarrier):
    """Away for the first calls, then takes everything but one message."""

    def __init__(self, refused: str) -> None:
        super().__init__()
        self.refused = refused
        self.away = 2

    async def publish(self, messages) -> None:
        if self.away:
            self.away -= 1
            raise BusAway("not yet")
        if any(each.id == self.refused for each in messages):
            raise MessageTooLarge("more than the server takes")
        await super().publish(messages)


@pytest.mark.usefixtures("committed")
async def test_a_message_that_the_bus_refuses_is_parked_and_does_not_stop_the_others():
    sent = [contact(number) for number in range(3)]
    carrier = _Refusing(sent[1].id)
    await asyncio.to_thread(_announce, sent)
    await _relay_until_empty(carrier)
    assert len(await collect(carrier, "one", [ContactLogged], 2)) == 2
    assert await asyncio.to_thread(_parked) == [("relay", sent[1].id)]


def _parked() -> list[tuple[str, str]]:
    try:
        return list(ParkedMessage.objects.values_list("group", "message_id"))
    finally:
        connection.close()


def _announce(messages) -> None:
    with transaction.atomic():
        announce(*messages)
    connection.close()


def test_an_envelope_tells_topic_id_and_key_in_clear():
    message = contact(3)
    assert seal(message) == Envelope("desk.contact_logged", message.id, "3", seal(message).payload)
    assert new_id() != new_id()
