"""The rooms that a trap and a nurse's report enter: a new detour is reviewed on purpose.

The design's chapter 4 draws both ways. Whoever adds a room to one of them changes the list here, and says why.
"""

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from tests.architecture.delivery import deliver, waiting
from tests.architecture.rooms import recorded, room_of
from tests.integration import hospital
from wardkeeper.acquisition.adapters import snmp_trap
from wardkeeper.acquisition.adapters.snmp_trap.adapter import Config, run
from wardkeeper.bus.worker import subscriptions
from wardkeeper.ledger.models import Record
from wardkeeper.messages import Message
from wardkeeper.processing.incident import services as incident

pytestmark = pytest.mark.django_db
LINK_DOWN = bytes.fromhex(
    "".join((Path(snmp_trap.__path__[0]) / "samples" / "v2c-link-down.hex").read_text().split())
)

SOLVED = {"cause": "hardware", "solution": "换了新的", "minutes": 10}


class Caught:
    """A listener's emit that keeps what it is given."""

    collector = "local"
    is_full = False

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.arrived = asyncio.Event()

    async def room(self) -> None:
        """There always is."""

    async def durable(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self(message)

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        self.arrived.set()

    def malformed(self, raw: bytes, source: str, reason: str) -> None:
        raise AssertionError(f"{source} said {raw!r}: {reason}")

    def count(self, name: str, amount: int = 1) -> None:
        """Counters are looked at elsewhere."""


async def _received(port: int) -> list[Message]:
    """What the adapter makes of one datagram on its real socket."""
    emit = Caught()
    listener = asyncio.create_task(run(Config(port=port, communities=("public",)), emit))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.9.3", 0))
        for _try in range(50):
            sender.sendto(LINK_DOWN, ("127.0.0.1", port))
            try:
                await asyncio.wait_for(emit.arrived.wait(), 0.2)
                break
            except TimeoutError:
                continue
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    return emit.messages


@pytest.fixture
def place():
    made = hospital.build()
    subscriptions()  # imports every handler before anything is recorded
    waiting()
    return made


def _deliver(messages: Sequence[Message]) -> None:
    deliver(messages, lambda _name, subscription, heard: subscription.handle(heard))


def _step(client, record: Record, name: str, **answers: str | int) -> None:
    """One move as an engineer makes it on the page."""
    record.refresh_from_db()
    answered = client.post(f"/records/{record.pk}/moves/{name}/", {"version": record.version, **answers})
    assert answered.status_code == 200, answered.content.decode()
    _deliver([])


def test_rooms_that_a_trap_enters(place, free_port, client):
    port = free_port()
    client.force_login(place.engineer)
    client.get("/workbench/")  # imports every address and tag before anything is recorded
    with recorded() as entered:
        messages = asyncio.run(_received(port))
        _deliver(messages)
        record = Record.objects.get()
        assert client.get(f"/incidents/{record.pk}/").status_code == 200
        _step(client, record, "accept")
        _step(client, record, "resolve", **SOLVED)
    record.refresh_from_db()
    assert (record.team, record.state) == (place.network, "resolved")
    assert entered == [
        "acquisition.adapters.snmp_trap",
        "aggregation.event",
        "aggregation.alarm",
        "processing.incident",
        "ledger",
        "processing.dispatch",
        "processing.sla",
        "presentation.web",
        "processing.desk",  # the page shows who has called about it
    ]


def test_rooms_that_a_report_enters(place, client):
    client.force_login(place.nurse)
    client.get("/portal/")  # imports every address and tag before anything is recorded
    sent = {"submission": str(uuid4()), "place": place.ward.pk, "text": "打印机不打", "how_bad": "down"}
    with recorded() as entered:
        assert client.post("/portal/report/", sent).status_code == 302
        _deliver([])
        record = Record.objects.get()
        client.force_login(place.engineer)
        _step(client, record, "accept")
        _step(client, record, "resolve", **SOLVED, no_ci="on")
        client.force_login(place.nurse)
        assert client.post(f"/portal/{record.pk}/answer/", {"answer": "confirm"}).status_code == 302
        _deliver([])
    assert Record.objects.get().state == "closed"
    assert entered == [
        "presentation.web",  # its middleware: who is it, in which language, what may the page load
        "presentation.portal",
        "ledger",
        "processing.desk",
        "processing.dispatch",
        "processing.incident",
        "processing.sla",
    ]


@pytest.mark.parametrize(
    ("module", "room"),
    [
        ("wardkeeper.acquisition.adapters.syslog.decode", "acquisition.adapters.syslog"),
        ("wardkeeper.acquisition.batching", ""),
        ("wardkeeper.aggregation.alarm.services", "aggregation.alarm"),
        ("wardkeeper.ledger.services.records", "ledger"),
        ("wardkeeper.presentation.portal.views", "presentation.portal"),
        ("wardkeeper.presentation.urls", ""),
        ("wardkeeper.bus.outbox", ""),
        ("django.db", ""),
    ],
)
def test_a_module_belongs_to_its_room(module, room):
    assert room_of(module) == room


def test_a_detour_is_seen(place):
    with recorded() as entered:
        incident._clock(place.switch.created_at)
    assert entered == ["processing.incident"]
