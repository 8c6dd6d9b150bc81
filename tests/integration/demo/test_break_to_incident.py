"""From a pulled plug to an incident at the right team: real polls, the rooms called as the bus calls them."""

import asyncio
import time

import pytest

from tests.collected import Collected
from tests.integration import hospital
from wardkeeper.acquisition.adapters.snmp_poll.adapter import forget, poll
from wardkeeper.acquisition.contract import Device
from wardkeeper.aggregation.discovery import handlers as discovery
from wardkeeper.aggregation.discovery.models import WatchTarget
from wardkeeper.aggregation.metric import handlers as metric
from wardkeeper.bus.codec import unseal
from wardkeeper.bus.contract import Envelope
from wardkeeper.bus.models import OutboxMessage
from wardkeeper.cli.demo.devices.fleet import FLEET
from wardkeeper.cli.demo.watched import watch_devices
from wardkeeper.ledger.models import Record
from wardkeeper.messages import AlarmMessage, DeviceDescribed, SamplesCollected
from wardkeeper.processing.dispatch.handlers import dispatch_opened
from wardkeeper.processing.incident.handlers import follow_records, hear_alarms
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.cmdb.services import create_ci
from wardkeeper.registry.people.services import create_team


@pytest.fixture
def place(db):
    """A hospital with the devices of the demo and what they carry and serve, as far as they need it."""
    made = hospital.build()
    network = made.network
    teams = {"network": network}
    for code in ("servers", "applications", "desktop"):
        teams[code] = create_team(code=code, name_zh=code, name_en=code, hospital=made.root)
    units = {device.unit: made.ward for device in FLEET}
    units |= {code: made.ward for device in FLEET for code in device.used_by}
    systems = {
        code: CI.objects.filter(code=code).first()
        or create_ci(type_code="infrastructure", code=code, name=code, place=made.root, tier="T1")
        for device in FLEET
        for code in device.carries
    }
    watch_devices(units, systems, teams)
    return made


def run_the_bus():
    while rows := list(OutboxMessage.objects.order_by("pk")):
        OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).delete()
        messages = [unseal(Envelope(row.topic, row.message_id, row.key, bytes(row.payload))) for row in rows]
        hear_alarms([each for each in messages if isinstance(each, AlarmMessage)])
        records = [each for each in messages if each.TOPIC.startswith("record.")]
        dispatch_opened(records)
        follow_records(records)


def polled(target):
    """One poll of a target as the collector makes it, handed to the rooms."""
    emit = Collected()
    asyncio.run(poll(Device(str(target.pk), target.ci_id, 10.0, 8.0, dict(target.config)), emit))
    described = [each for each in emit.messages if isinstance(each, DeviceDescribed)]
    discovery.hear(described)
    metric.take_samples([each for each in emit.messages if isinstance(each, SamplesCollected)])
    run_the_bus()


def test_a_pulled_port_is_an_incident_at_the_network_team_and_mending_it_says_so(devices, broken, place):
    target = WatchTarget.objects.get(ci__code="SW-CORE-01")
    polled(target)
    assert not Record.objects.exists()
    broken("core", "port_down")
    until = time.monotonic() + 20
    while not Record.objects.exists() and time.monotonic() < until:
        polled(target)
    record = Record.objects.get()
    assert record.team == place.network
    assert record.state == "assigned"
    assert record.ci.code == "SW-CORE-01"
    assert record.is_demo
    assert "GigabitEthernet0/0/12" in record.shown_title
    (devices / "demo" / "faults" / "core.port_down").unlink()
    while not record.proposed_move and time.monotonic() < until + 20:
        polled(target)
        record.refresh_from_db()
    assert record.proposed_move == "resolve"
    forget(str(target.pk))
