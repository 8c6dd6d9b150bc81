"""Who is told when, and what pages show of the clocks."""

from datetime import timedelta

import pytest
from django.utils import translation

from tests.integration import hospital
from tests.integration.sla.incidents import FRIDAY, P1, P2, P3, Case, after, at
from wardkeeper.bus.models import OutboxMessage
from wardkeeper.ledger.models import Entry
from wardkeeper.ledger.queries import said
from wardkeeper.processing.sla import policy, queries, services
from wardkeeper.processing.sla.models import ClockEvent

pytestmark = pytest.mark.django_db


def warned(case: Case) -> list[tuple[str, int]]:
    rows = ClockEvent.objects.filter(record=case.id, kind="warn").order_by("at", "clock")
    return list(rows.values_list("clock", "percent"))


def test_each_share_is_told_once_in_journal_and_message(place):
    case = Case(place, P1).follow()
    for second in range(0, 200, 5):
        services.warn_due(FRIDAY + timedelta(seconds=second))
        services.warn_due(FRIDAY + timedelta(seconds=second))
    assert warned(case) == [("accept", 50), ("accept", 75), ("accept", 100), ("accept", 150)]
    lines = Entry.objects.filter(record=case.id, kind="clock").order_by("sequence")
    assert [line.params["percent"] for line in lines if line.params] == [50, 75, 100, 150]
    assert OutboxMessage.objects.filter(topic="sla.clock_warned").count() == 4
    with translation.override("en"):
        assert said(lines[0]) == "50% of the time to accept is used. Due 2025-06-06 16:32."


def test_a_late_look_tells_the_highest_share_only(place):
    case = Case(place, P1).move("accept", 1).follow()
    services.warn_due(after(50))
    assert warned(case) == [("restore", 150)]
    assert case.clock("restore").next_warning_at is None


def test_a_look_first_follows_the_journal_so_that_nobody_is_told_in_vain(place):
    case = Case(place, P1).follow()
    case.move("accept", 0.5)
    assert services.warn_due(after(1)) == 0
    assert case.states()["accept"] == "met"


def test_a_paused_clock_tells_nothing(place):
    case = Case(place, P1).move("accept", 1)
    case.move("pend", 2, pending_reason="user", next_action_at="2025-06-06T17:00").follow()
    assert services.warn_due(after(500)) == 0


def test_a_longer_target_tells_its_shares_anew(place):
    case = Case(place, P2).move("accept", 1).follow()
    services.warn_due(after(45))
    assert warned(case) == [("restore", 75)]
    targets = {**policy.DEFAULT, "2": {**policy.DEFAULT["2"], "restore": {"hours": 2}}}
    services.save_policy(targets, kind="incident", hospital=place.root, made_by=None)
    services.retarget_open(kind="incident", hospital=place.root.pk, at=after(46))
    assert case.clock("restore").next_percent == 50
    services.warn_due(after(60))
    assert warned(case) == [("restore", 75), ("restore", 50)]


def test_a_shorter_target_tells_what_it_has_used_up_already(place):
    case = Case(place, P2).move("accept", 1).follow()
    services.warn_due(after(31))
    targets = {**policy.DEFAULT, "2": {**policy.DEFAULT["2"], "restore": {"minutes": 30}}}
    services.save_policy(targets, kind="incident", hospital=place.root, made_by=None)
    services.retarget_open(kind="incident", hospital=place.root.pk, at=after(32))
    services.warn_due(after(33))
    assert warned(case) == [("restore", 50), ("restore", 100)]


def test_the_page_says_how_much_is_left_and_why(place):
    case = Case(place, P3).move("accept", 10)
    case.move("pend", 20, pending_reason="user", next_action_at="2025-06-06T17:00").move(
        "resume", 50
    ).follow()
    with translation.override("en"):
        restore = queries.clocks_of(case.record, at("09T08:30"))[1]
    assert (restore.title, restore.target, restore.state) == ("Restore", "4 h", "running")
    assert (restore.used_share, restore.left_s, restore.is_overdue) == (0.25, 3 * 3600, False)
    assert restore.explanation == (
        "4 h of service time from Fri 6 Jun 16:30.",
        "Closed over days off from Fri 17:30 to Mon 08:00.",
        "The clock stood for 30 min of service time, which is added.",
        "Due Mon 9 Jun 11:30.",
    )


def test_what_is_due_next_is_told_only_to_who_may_see_it(place):
    other = hospital.build("H2")
    case = Case(place, P1).follow()
    Case(other, P1).follow()
    found = queries.due_soon(place.scope, now=FRIDAY, within=timedelta(minutes=10))
    assert [(row.record_id, row.clock) for row in found] == [(case.id, "accept")]


def test_attainment_counts_a_clock_that_runs_past_its_deadline_as_missed(place):
    Case(place, P1).move("accept", 1).follow()
    Case(place, P1).follow()
    found = queries.attainment(place.scope, kind="incident", since=FRIDAY, until=after(10))
    assert found == {(1, "accept"): (1, 2)}


def test_following_many_records_costs_a_fixed_number_of_statements(place, django_assert_max_num_queries):
    cases = [Case(place, P1).id for _ in range(20)]
    with django_assert_max_num_queries(18):
        services.follow(cases)
