"""The clocks of incidents, from their journals, on a real PostgreSQL. Time is handed in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.integration.sla.incidents import ANSWERS, FRIDAY, P1, P3, P4, Case, after, at
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.priority import AreaClass, PriorityInput, Tier
from wardkeeper.processing.sla import queries
from wardkeeper.processing.sla.models import Clock

pytestmark = pytest.mark.django_db


def test_a_p1_runs_round_the_clock_from_its_opening(place):
    case = Case(place, P1).follow()
    due = {row.clock: row.due_at for row in Clock.objects.filter(record=case.id)}
    assert due == {"accept": after(2), "restore": after(30), "resolve": after(240)}
    assert (case.record.due_at, case.record.due_clock) == (after(2), "accept")


def test_a_p3_of_an_office_runs_in_service_hours_and_one_of_a_ward_does_not(place):
    office = Case(place, P3).follow()
    assert (office.record.priority, office.clock("restore").due_at) == (3, at("09T11:00"))
    ward = Case(
        place, PriorityInput(breadth=0, tier=Tier.T3, degradation=3, area_class=AreaClass.A2)
    ).follow()
    assert (ward.record.priority, ward.clock("restore").due_at) == (3, after(240))


def test_a_p4_has_no_time_to_restore_and_two_working_days_to_resolve(place):
    case = Case(place, P4).follow()
    assert case.clock("accept").due_at == at("06T17:30")  # falls on closing time and stays there
    assert case.clock("restore").due_at is None
    assert case.clock("resolve").due_at == at("10T16:30")
    assert [view.clock for view in queries.clocks_of(case.record, after(1))] == ["accept", "resolve"]


def test_each_clock_stops_where_its_promise_is_kept(place):
    case = Case(place, P1).move("accept", 3).move("restore", 20, workaround="换到备机").follow()
    assert case.states() == {"accept": "breached", "restore": "met", "resolve": "running"}
    assert (case.record.due_at, case.record.due_clock) == (after(240), "resolve")
    case.move("resolve", 241, **ANSWERS).follow()
    assert case.states()["resolve"] == "breached"
    assert case.record.due_at is None


def test_resolving_at_once_stops_all_clocks(place):
    case = Case(place, P1).move("accept", 1).move("resolve", 29, **ANSWERS).follow()
    assert set(case.states().values()) == {"met"}


def test_exactly_on_the_deadline_is_in_time(place):
    case = Case(place, P1).move("accept", 2).follow()
    assert case.states()["accept"] == "met"


@pytest.mark.parametrize("reason", ["user", "agreed_date"])
def test_waiting_for_the_user_stands_the_clock_still(place, reason):
    case = Case(place, P1).move("accept", 1)
    case.move("pend", 10, pending_reason=reason, next_action_at="2025-06-06T17:00").follow()
    assert case.states() == {"accept": "met", "restore": "paused", "resolve": "paused"}
    assert (case.clock("restore").due_at, case.record.due_at) == (None, None)
    case.move("resume", 50).follow()
    assert (case.clock("restore").due_at, case.clock("restore").paused_s) == (after(70), 2400)
    assert case.clock("resolve").due_at == after(280)


@pytest.mark.parametrize("reason", ["vendor", "parts", "change"])
def test_waiting_for_vendor_parts_or_change_does_not(place, reason):
    case = Case(place, P1).move("accept", 1)
    case.move("pend", 10, pending_reason=reason, next_action_at="2025-06-06T17:00").follow()
    assert case.states()["restore"] == "running"
    assert case.clock("restore").due_at == after(30)


def test_waiting_twice_for_the_same_reason_pauses_twice(place):
    case = Case(place, P1).move("accept", 1)
    for minute in (5, 15):
        case.move("pend", minute, pending_reason="user", next_action_at="2025-06-06T17:00")
        case.move("resume", minute + 5)
    case.follow()
    assert (case.clock("restore").due_at, case.clock("restore").paused_s) == (after(40), 600)


def test_resolving_while_waiting_counts_the_wait_as_a_pause(place):
    case = Case(place, P1).move("accept", 1)
    case.move("pend", 20, pending_reason="user", next_action_at="2025-06-06T17:00")
    case.move("resolve", 120, **ANSWERS).follow()
    assert case.states()["restore"] == "met"
    assert case.clock("restore").due_at == after(130)


def test_reopening_goes_on_where_the_clock_stood(place):
    opened = timezone.now() - timedelta(hours=2)  # a record that ended long ago cannot be reopened
    case = Case(place, P1, opened).move("accept", 1).move("resolve", 20, **ANSWERS)
    case.move("reopen", 100, reason="又断了").follow()
    assert case.states() == {"accept": "met", "restore": "running", "resolve": "running"}
    assert case.clock("restore").due_at == case.after(110)  # 20 of its 30 minutes were used
    assert case.clock("resolve").due_at == case.after(320)


def test_withdrawing_owes_nothing_any_more(place):
    case = Case(place, P1)
    ledger.move(case.id, "withdraw", actor=place.nurse, answers={"reason": "已好"}, at=after(60))
    case.follow()
    assert set(case.states().values()) == {"cancelled"}
    assert case.record.due_at is None


def test_a_higher_priority_retargets_and_keeps_start_and_pauses(place):
    case = Case(place, P4).move("accept", 1)
    case.move("pend", 10, pending_reason="user", next_action_at="2025-06-06T17:00").move(
        "resume", 20
    ).follow()
    ledger.set_priority(case.id, P1, actor=place.chief, reason="全院受影响")
    case.follow()
    restore = case.clock("restore")
    assert (restore.started_at, restore.due_at, restore.paused_s) == (FRIDAY, after(40), 600)
    assert case.clock("resolve").due_at == after(250)
    assert (case.clock("resolve").calendar, case.states()["accept"]) == ("24x7", "met")
