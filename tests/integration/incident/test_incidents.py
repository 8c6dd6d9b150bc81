"""From alarm and report to a dispatched incident; handlers are called as the bus calls them."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration import hospital
from wardkeeper.aggregation.alarm import services as alarms
from wardkeeper.aggregation.alarm.condition import Condition
from wardkeeper.bus.codec import unseal
from wardkeeper.bus.contract import Envelope
from wardkeeper.bus.models import OutboxMessage
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.messages import AlarmMessage
from wardkeeper.processing.desk import services as desk
from wardkeeper.processing.dispatch.handlers import dispatch_opened
from wardkeeper.processing.incident import services
from wardkeeper.processing.incident.handlers import follow_records, hear_alarms
from wardkeeper.processing.incident.models import AlarmTie, Incident

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai


@pytest.fixture
def place():
    return hospital.build()


def raise_alarm(place, severity="major", *, after_s=0, ci=True) -> None:
    alarms.apply([
        Condition(
            f"{place.switch.pk}:interface.down:3", place.switch.pk if ci else None, "interface.down", severity,
            {"name": "GE0/0/3"}, START + timedelta(seconds=after_s), "test",
        )
    ])  # fmt: skip


def waiting(prefix: str = "") -> list:
    """What the outbox holds, as a relay would publish it; taken out."""
    rows = list(OutboxMessage.objects.filter(topic__startswith=prefix).order_by("pk"))
    OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return [unseal(Envelope(row.topic, row.message_id, row.key, bytes(row.payload))) for row in rows]


def run_the_bus() -> None:
    """Delivers until nothing is left, every message twice."""
    while messages := waiting():
        for _twice in range(2):
            hear_alarms([message for message in messages if isinstance(message, AlarmMessage)])
            records = [message for message in messages if message.TOPIC.startswith("record.")]
            dispatch_opened(records)
            follow_records(records)


def test_an_alarm_becomes_one_incident_at_the_owning_team_with_a_priority_that_says_why(place):
    raise_alarm(place)
    raise_alarm(place, after_s=10)
    run_the_bus()
    record = Record.objects.get()
    assert record.team == place.network
    assert record.state == "assigned"
    assert record.ci == place.switch
    assert record.priority_why.startswith("I")
    assert record.shown_title
    assert Incident.objects.get().detected_by == "monitoring"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_an_alarms_messages_does_not_matter(place, order):
    raise_alarm(place)
    raise_alarm(place, "critical", after_s=5)
    raise_alarm(place, "cleared", after_s=60)
    messages = waiting("alarm.")
    assert len(messages) == 3
    for index in order:
        hear_alarms([messages[index]])
        hear_alarms([messages[index]])
    record = Record.objects.get()
    assert AlarmTie.objects.get().state == "cleared"
    assert record.proposed_move == "resolve"
    notes = Entry.objects.filter(record=record, kind="alarm").values_list("note", flat=True)
    assert sum("cleared" in note for note in notes) == 1


def test_an_alarm_that_comes_back_reopens_its_resolved_incident(place):
    raise_alarm(place)
    run_the_bus()
    record = Record.objects.get()
    services.move(record.pk, "accept", actor=place.engineer)
    answers = {"cause": "network", "solution": "换网线", "minutes": 5}
    services.move(record.pk, "resolve", actor=place.engineer, answers=answers)
    raise_alarm(place, "cleared", after_s=60)
    raise_alarm(place, after_s=90)
    run_the_bus()
    record.refresh_from_db()
    assert (record.state, record.reopened_count, record.resolved_at) == ("assigned", 1, None)
    assert Record.objects.count() == 1


def test_a_warning_calls_nobody(place):
    raise_alarm(place, "warning")
    run_the_bus()
    assert not Record.objects.exists()


def test_who_accepts_becomes_the_assignee(place):
    raise_alarm(place)
    run_the_bus()
    record = Record.objects.get()
    accepted = services.move(record.pk, "accept", actor=place.engineer, version=record.version)
    assert (accepted.state, accepted.assignee) == ("accepted", place.engineer)


def report(place, where, *, submission=None, **more) -> Record:
    said = desk.Report(
        submission=submission or uuid.uuid4(), place=where, channel="portal", text="打印机不打", **more
    )
    return desk.report(said, person=place.nurse)


def test_a_report_sent_twice_is_one_record_with_its_number_at_once(place):
    submission = uuid.uuid4()
    first = report(place, place.ward, submission=submission)
    assert report(place, place.ward, submission=submission) == first
    assert first.number.split("-")[1:] == ["INC", "0001"]
    assert (first.requester, first.title) == (place.nurse, "打印机不打")


def test_the_third_department_with_the_same_service_makes_it_a_building(place):
    for expected, where in enumerate((place.ward, place.emergency, place.clinic)):
        record = report(place, where, ci=place.lis)
        assert record.priority_input["breadth"] == (2 if expected == 2 else 0)


def test_a_record_nobody_owns_goes_to_the_desk(place):
    record = report(place, place.ward)
    run_the_bus()
    record.refresh_from_db()
    assert (record.team, record.state) == (place.desk, "assigned")


def test_the_nurse_confirms_or_reopens(place):
    record = report(place, place.ward)
    run_the_bus()
    services.move(record.pk, "accept", actor=place.engineer)
    answers = {"cause": "consumable", "solution": "换硒鼓", "minutes": 5, "no_ci": True}
    services.move(record.pk, "resolve", actor=place.engineer, answers=answers)
    reopened = services.move(record.pk, "reopen", actor=place.nurse, answers={"reason": "又坏了"})
    assert (reopened.state, reopened.resolved_at) == ("assigned", None)
    services.move(record.pk, "accept", actor=place.engineer)
    services.move(record.pk, "resolve", actor=place.engineer, answers=answers)
    closed = services.move(record.pk, "confirm", actor=place.nurse)
    assert (closed.state, closed.is_open) == ("closed", False)
    assert ledger.flow_of(closed).moves_from("closed")[0].name == "reopen"
