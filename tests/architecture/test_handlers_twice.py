"""Every handler may get every message twice, and the second time nothing changes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.db import transaction

from tests.architecture.delivery import Twice, deliver, waiting
from tests.integration import hospital
from wardkeeper.aggregation.discovery import services as discovery
from wardkeeper.bus import Subscription
from wardkeeper.bus.outbox import announce, once
from wardkeeper.bus.worker import subscriptions
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Record
from wardkeeper.ledger.priority import AreaClass, PriorityInput, Tier
from wardkeeper.messages import (
    CollectorStarted,
    Component,
    ContactLogged,
    DeviceDescribed,
    Message,
    ObservationReceived,
    ObservationsReceived,
    SamplesCollected,
)
from wardkeeper.messages.collection import type_scalar
from wardkeeper.processing.desk import services as desk
from wardkeeper.processing.incident import services as incident
from wardkeeper.registry.calendars import services as calendars

pytestmark = pytest.mark.django_db

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
IF_INDEX = "1.3.6.1.2.1.2.2.1.1.3"


@pytest.fixture
def place():
    return hospital.build()


def _trap(place: hospital.Hospital, at: datetime) -> list[Message]:
    fields: dict[str, type_scalar] = {"version": "v2c", IF_INDEX: 3, "1.3.6.1.2.1.2.2.1.2.3": "GE0/0/3"}
    alone = ObservationReceived(
        collector="local",
        adapter="snmp_trap",
        source="127.0.9.3",
        kind=LINK_DOWN,
        fields=fields,
        happened_at=at,
    )
    several = ObservationsReceived(
        collector="local",
        adapter="snmp_trap",
        source="127.0.9.3",
        times_ms=(int(at.timestamp() * 1000), int(at.timestamp() * 1000) + 1),
        kinds=(LINK_DOWN, LINK_DOWN),
        fields=(fields, fields),
    )
    return [alone, several]


def _polls(place: hospital.Hospital, at: datetime) -> list[Message]:
    """Five minutes in which a port is down and the memory full."""
    names = ["device.reachable", "interface.down{7}", "host.memory_share"]
    return [
        SamplesCollected(
            collector="local",
            target="poll-1",
            ci=place.switch.pk,
            series="\n".join(names),
            times_ms=(int((at - timedelta(minutes=5 - minute)).timestamp() * 1000),),
            values=np.array([[1.0, 1.0, 0.99]]).tobytes(),
            interval_s=60.0,
        )
        for minute in range(6)
    ]


def _told(place: hospital.Hospital) -> list[Message]:
    """What collectors say about themselves and their devices."""
    port = Component(kind="interface", instance="7", name="GE0/0/7", attributes={"speed_bps": 1e9})
    described = DeviceDescribed(
        collector="local",
        target="poll-1",
        ci=place.switch.pk,
        attributes={"sys_name": "sw-w03"},
        components=(port,),
    )
    return [described, CollectorStarted(collector="local")]


def _a_nurse_reports_and_people_work(place: hospital.Hospital, at: datetime) -> None:
    said = desk.Report(
        submission=uuid4(),
        place=place.ward,
        channel="portal",
        title="打印机不打",
        degradation=3,
        ci=place.switch,
    )
    record = desk.report(said, person=place.nurse, at=at)
    deliver([], lambda _name, subscription, messages: subscription.handle(messages))
    incident.move(record.pk, "accept", actor=place.engineer)
    ledger.comment(record.pk, actor=place.engineer, note="on the way")
    worse = PriorityInput(breadth=2, tier=Tier.T1, degradation=3, area_class=AreaClass.A2)
    ledger.set_priority(record.pk, worse, actor=place.chief, reason="the whole building")


def _everything_happens(place: hospital.Hospital, twice: Twice) -> None:
    now = datetime.now(UTC)
    watch = discovery.Watch(adapter="icmp", config={"host": "127.0.9.3"})
    discovery.watch(place.switch, watch)
    deliver([*_told(place), *_trap(place, now), *_polls(place, now)], twice)
    _a_nurse_reports_and_people_work(place, now)
    week = {"mon": [["08:00", "12:00"]]}
    calendars.save_calendar(
        "desk", hospital=None, name_zh="服务台", name_en="Desk", timezone="Asia/Shanghai", week=week
    )
    announce(ContactLogged(contact=1, record=Record.objects.latest("pk").pk, channel="portal"))
    deliver([], twice)
    # The port comes back: alarms clear.
    up = ObservationReceived(
        collector="local",
        adapter="snmp_trap",
        source="127.0.9.3",
        kind="1.3.6.1.6.3.1.1.5.4",
        fields={IF_INDEX: 3},
    )
    deliver([up], twice)


def test_every_subscription_run_twice_leaves_the_same_rows(place):
    waiting()
    twice = Twice()
    _everything_happens(place, twice)
    assert twice.violations == [], "\n" + "\n".join(twice.violations)
    silent = set(subscriptions()) - set(twice.heard)
    assert silent == set(), f"nothing was said to {sorted(silent)}: let it happen above"
    idle = set(subscriptions()) - twice.effective
    assert idle == set(), (
        f"{sorted(idle)} did nothing, so that twice nothing proves nothing: let it matter above"
    )


def test_handler_that_counts_twice_is_caught(place):
    @transaction.atomic
    def careless(messages):
        for _message in messages:
            Record.objects.filter(kind="incident").update(version=7)
            announce(ContactLogged(contact=1, record=None, channel="phone"))

    @transaction.atomic
    def careful(messages):
        careless(once("careful", messages))

    for handle, is_caught in ((careful, False), (careless, True)):
        twice = Twice()
        subscription = Subscription(topics=(CollectorStarted,), group=handle.__name__, handle=handle)
        waiting()
        twice("tried", subscription, [CollectorStarted(collector="x")])
        assert bool(twice.violations) is is_caught
