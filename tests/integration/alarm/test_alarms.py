"""Many statements become few alarms, in whatever order they come."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration import hospital
from wardkeeper.aggregation.alarm import queries, services
from wardkeeper.aggregation.alarm.condition import Condition
from wardkeeper.aggregation.alarm.models import Alarm
from wardkeeper.bus.models import OutboxMessage

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 22, 7, 40, tzinfo=UTC)


@pytest.fixture
def place():
    return hospital.build()


def said(place, severity="major", *, after_s=0, instance="3", condition="interface.down") -> Condition:
    return Condition(
        fingerprint=f"{place.switch.pk}:{condition}:{instance}",
        ci=place.switch.pk,
        condition=condition,
        severity=severity,
        parameters={"name": f"GE0/0/{instance}"},
        happened_at=START + timedelta(seconds=after_s),
        source="test",
    )


def topics() -> list[str]:
    return list(OutboxMessage.objects.order_by("pk").values_list("topic", flat=True))


def test_a_thousand_repetitions_are_one_alarm_and_one_message(place):
    for first in range(0, 1000, 250):
        services.apply([said(place, after_s=n) for n in range(first, first + 250)])
    alarm = Alarm.objects.get()
    assert (alarm.count, alarm.state, alarm.last_at) == (1000, "active", START + timedelta(seconds=999))
    assert topics() == ["alarm.raised"]


def test_statements_cost_the_same_for_one_and_for_five_hundred(place, django_assert_max_num_queries):
    with django_assert_max_num_queries(9):
        services.apply([said(place, instance=str(n)) for n in range(500)])
    assert Alarm.objects.count() == 500


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order_of_down_down_up_ends_cleared_with_one_alarm(place, order):
    story = [said(place), said(place, after_s=10), said(place, "cleared", after_s=20)]
    for index in order:
        services.apply([story[index]])
    alarm = Alarm.objects.get()
    assert alarm.state == "cleared"
    assert alarm.cleared_at == START + timedelta(seconds=20)


def test_it_comes_back_within_ten_minutes_as_the_same_alarm_and_later_as_a_new_one(place):
    services.apply([said(place), said(place, "cleared", after_s=60), said(place, after_s=120)])
    assert Alarm.objects.get().state == "active"
    assert Alarm.objects.get().reopened_count == 1
    services.apply([said(place, "cleared", after_s=180), said(place, after_s=3600)])
    assert Alarm.objects.count() == 2
    assert topics() == ["alarm.raised", "alarm.cleared", "alarm.changed", "alarm.cleared", "alarm.raised"]


def test_a_worse_severity_is_announced(place):
    services.apply([said(place, "minor")])
    services.apply([said(place, "critical", after_s=5)])
    assert Alarm.objects.get().severity == "critical"
    assert topics() == ["alarm.raised", "alarm.changed"]


def test_an_acknowledgement_has_author_note_and_end(place):
    services.apply([said(place)])
    until = datetime.now(UTC) + timedelta(hours=2)
    [alarm] = services.acknowledge(
        [Alarm.objects.get().pk], actor=place.engineer, note="在换模块", until=until
    )
    assert (alarm.acknowledged_by, alarm.acknowledged_note, alarm.acknowledged_until) == (
        place.engineer, "在换模块", until,
    )  # fmt: skip
    now = datetime.now(UTC)
    assert queries.alarms(place.scope, queries.Filter(quiet=False), at=now).items == []
    late = until + timedelta(seconds=1)
    assert queries.alarms(place.scope, queries.Filter(quiet=False), at=late).items == [alarm]


def test_another_hospital_sees_no_alarm_by_list_count_or_id(place):
    other = hospital.build("H2")
    services.apply([said(place)])
    now = datetime.now(UTC)
    assert queries.alarms(other.scope, queries.Filter(), at=now).items == []
    assert queries.counts(other.scope) == {}
    with pytest.raises(Alarm.DoesNotExist):
        queries.alarm(other.scope, Alarm.objects.get().pk)
    assert queries.counts(place.scope) == {"major": 1}


def test_a_single_trap_that_nobody_takes_back_ends_after_a_day(place):
    services.apply([said(place, condition="trap.received"), said(place)])
    assert services.expire(at=START + timedelta(hours=23)) == 0
    assert services.expire(at=START + timedelta(hours=25)) == 1
    assert Alarm.objects.get(state="active").condition == "interface.down"
