"""What a second look found: alarms that outlive their records, parts named twice, versions that collide."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration import hospital
from tests.integration.incident.test_incidents import raise_alarm, run_the_bus
from wardkeeper.aggregation.alarm import services as alarms
from wardkeeper.aggregation.alarm.models import Alarm
from wardkeeper.aggregation.discovery import services as discovery
from wardkeeper.aggregation.discovery.models import Component
from wardkeeper.ledger.models import Link, Record
from wardkeeper.messages import Component as Part
from wardkeeper.messages import DeviceDescribed
from wardkeeper.processing.incident import services

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return hospital.build()


def test_an_alarm_that_comes_back_long_after_its_record_ended_opens_a_new_one(place):
    raise_alarm(place)
    run_the_bus()
    old = Record.objects.get()
    services.move(old.pk, "accept", actor=place.engineer)
    answers = {"cause": "network", "solution": "换网线", "minutes": 5}
    services.move(old.pk, "resolve", actor=place.engineer, answers=answers)
    Record.objects.update(resolved_at=datetime.now(UTC) - timedelta(days=8))
    raise_alarm(place, "cleared", after_s=60)
    raise_alarm(place, after_s=90)
    run_the_bus()
    new = Record.objects.exclude(pk=old.pk).get()
    assert (new.state, new.ci) == ("assigned", place.switch)
    assert Link.objects.get().source == new
    raise_alarm(place, "cleared", after_s=120)
    run_the_bus()
    new.refresh_from_db()
    assert new.proposed_move == "resolve"


def test_a_part_that_a_device_names_twice_is_kept_once(place):
    parts = (Part(kind="storage", instance="/mnt", name="a"), Part(kind="storage", instance="/mnt", name="b"))
    discovery.learn(
        [DeviceDescribed(collector="c", target="t", ci=place.switch.pk, attributes={}, components=parts)]
    )
    assert Component.objects.get().name == "b"


@pytest.mark.parametrize("what", ["acknowledge", "withdraw_acknowledgement", "clear_by_hand", "expire"])
def test_a_person_and_a_batch_never_change_alarms_at_the_same_moment(place, what):
    raise_alarm(place)
    alarm = Alarm.objects.get()
    arguments = {
        "acknowledge": lambda: alarms.acknowledge([alarm.pk], actor=place.engineer),
        "withdraw_acknowledgement": lambda: alarms.withdraw_acknowledgement([alarm.pk]),
        "clear_by_hand": lambda: alarms.clear_by_hand(alarm.pk),
        "expire": alarms.expire,
    }
    with CaptureQueriesContext(connection) as seen:
        arguments[what]()
    statements = [query["sql"] for query in seen.captured_queries if "SAVEPOINT" not in query["sql"]]
    assert "pg_advisory_xact_lock" in statements[0]
