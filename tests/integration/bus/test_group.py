"""Handlers as the worker runs them: real threads, a real PostgreSQL, the carrier in memory."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction

from tests.bus_conformance import DEADLINE_S, QUICK, assigned, contact, opened
from wardkeeper.bus import parking, worker
from wardkeeper.bus.codec import seal
from wardkeeper.bus.contract import Envelope, Retry, Subscription
from wardkeeper.bus.group import Group
from wardkeeper.bus.memory import MemoryCarrier
from wardkeeper.bus.models import ParkedMessage
from wardkeeper.bus.outbox import once
from wardkeeper.cli import parked as parked_command
from wardkeeper.messages import ContactLogged, Message, RecordAssigned, RecordOpened

pytestmark = pytest.mark.usefixtures("committed")


@asynccontextmanager
async def running(carrier, *subscriptions: Subscription):
    stop = asyncio.Event()
    threads = ThreadPoolExecutor(4)
    tasks = [asyncio.create_task(Group(each, carrier, threads).run(stop)) for each in subscriptions]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE_S)
        for _ in range(4):
            threads.submit(connection.close)
        threads.shutdown()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - what is waited for happens in other threads
            await asyncio.sleep(0.01)


def parked_rows() -> list[ParkedMessage]:
    try:
        return list(ParkedMessage.objects.order_by("id"))
    finally:
        connection.close()


async def test_a_poison_message_is_parked_with_its_error_and_its_neighbours_take_effect():
    carrier = MemoryCarrier()
    seen: list[tuple[int, str]] = []

    def handle(messages: Sequence[Message]) -> None:
        for message in messages:
            if message.record == 1 and message.TOPIC == "record.opened":
                raise ValueError("cannot open 1")
        seen.extend((message.record, message.TOPIC) for message in messages)

    await carrier.publish([opened(1), assigned(1), opened(2), assigned(2)])
    wanted = Subscription((RecordOpened, RecordAssigned), "test.poison", handle, retry=QUICK)
    async with running(carrier, wanted):
        await until(lambda: len(seen) == 3)
    assert seen == [(2, "record.opened"), (2, "record.assigned"), (1, "record.assigned")]
    (row,) = await asyncio.to_thread(parked_rows)
    assert (row.group, row.topic, row.key, row.tries) == ("test.poison", "record.opened", "1", 3)
    assert row.error.startswith("ValueError: cannot open 1 at ")


async def test_a_broken_database_connection_is_waited_for_and_never_counts_as_a_try():
    carrier = MemoryCarrier()
    calls: list[int] = []
    taken: list[Message] = []

    @transaction.atomic
    def handle(messages: Sequence[Message]) -> None:
        calls.append(1)
        fresh = once("test.broken", messages)
        if len(calls) <= 3:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        taken.extend(fresh)

    await carrier.publish([contact(1)])
    wanted = Subscription((ContactLogged,), "test.broken", handle, retry=Retry(tries=2, first_s=0.01))
    async with running(carrier, wanted):
        await until(lambda: len(taken) == 1)
    assert len(calls) == 4
    assert await asyncio.to_thread(parked_rows) == []


async def test_a_slow_group_does_not_hold_another():
    carrier = MemoryCarrier()
    release = threading.Event()
    quick: list[Message] = []

    def slow(messages: Sequence[Message]) -> None:
        release.wait(DEADLINE_S)

    await carrier.publish([contact(number) for number in range(5)])
    async with running(
        carrier,
        Subscription((ContactLogged,), "test.slow", slow),
        Subscription((ContactLogged,), "test.quick", quick.extend),
    ):
        await until(lambda: len(quick) == 5)
        release.set()


async def test_a_message_of_a_newer_version_is_parked():
    carrier = MemoryCarrier()
    seen: list[Message] = []
    await carrier.publish([Envelope("desk.contact_logged", "x", "1", b"\x81\xa5bogus\x01"), contact(1)])
    async with running(carrier, Subscription((ContactLogged,), "test.newer", seen.extend)):
        await until(lambda: len(seen) == 1 and len(parked_rows()) == 1)
    (row,) = await asyncio.to_thread(parked_rows)
    assert row.error == "desk.contact_logged: unknown field bogus"


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    parked_command.arguments(parser)
    return parked_command.run(parser.parse_args(words))


def park(message: Message, group: str) -> int:
    sealed = seal(message)
    row = ParkedMessage.objects.create(
        group=group,
        message_id=sealed.id,
        topic=sealed.topic,
        key=sealed.key,
        payload=sealed.payload,
        error="ValueError: it was a Monday",
        tries=5,
    )
    return row.pk


def test_parked_messages_are_listed_with_their_error_and_text(capsys):
    park(contact(41), "test.one")
    assert command("list") == 1
    shown = capsys.readouterr().out
    assert "test.one" in shown
    assert "it was a Monday" in shown
    assert '"contact":41' in shown
    assert command("list", "--json") == 1
    assert json.loads(capsys.readouterr().out)["topic"] == "desk.contact_logged"


def test_retrying_runs_the_handler_and_keeps_what_fails(capsys, monkeypatch):
    seen: list[Message] = []

    def handle(messages: Sequence[Message]) -> None:
        if messages[0].contact == 2:
            raise ValueError("still Monday")
        seen.extend(messages)

    monkeypatch.setattr(
        worker, "subscriptions", lambda: {"one": Subscription((ContactLogged,), "test.one", handle)}
    )
    park(contact(1), "test.one")
    second = park(contact(2), "test.one")
    orphan = park(contact(3), "test.gone")
    assert command("retry", "--all") == 1
    assert [each.contact for each in seen] == [1]
    assert [each.pk for each in ParkedMessage.objects.order_by("id")] == [second, orphan]
    assert "still Monday" in ParkedMessage.objects.get(pk=second).error
    assert ParkedMessage.objects.get(pk=second).tries == 6
    assert "nothing listens as 'test.gone'" in capsys.readouterr().out


def test_dropping_forgets_the_chosen_alone(capsys):
    first, second = park(contact(1), "test.one"), park(contact(2), "test.two")
    assert command("drop") == 2
    assert command("drop", str(first)) == 0
    assert [each.id for each in parking.listed()] == [second]
    assert command("drop", str(first)) == 2
    assert "no parked message" in capsys.readouterr().err
    assert command("drop", "--group", "test.two") == 0
    assert command("list") == 0


def test_the_command_line_lists_what_is_parked(nats_url):
    park(contact(1), "test.one")
    address = urlsplit(os.environ["WARDKEEPER_DATABASE_DSN"])
    env = os.environ | {
        "WARDKEEPER_DATABASE_DSN": address._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "WARDKEEPER_BUS_URL": nats_url,
    }
    line = "import sys; from wardkeeper.cli.main import main; sys.exit(main(['parked', 'list']))"
    done = subprocess.run(
        [sys.executable, "-c", line], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1, done.stderr
    assert "desk.contact_logged" in done.stdout
