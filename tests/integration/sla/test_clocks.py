"""The clocks of incidents, from their journals, on a real PostgreSQL. Time is handed in."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils import timezone, translation
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.integration import hospital
from wardkeeper.bus import Envelope
from wardkeeper.bus.codec import unseal
from wardkeeper.bus.models import OutboxMessage
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.ledger.priority import AreaClass, PriorityInput, Tier
from wardkeeper.ledger.queries import said
from wardkeeper.messages import CalendarChanged, RecordChanged, RecordMoved, RecordOpened
from wardkeeper.messages.sentence import InvalidField
from wardkeeper.processing.sla import handlers, policy, queries, services
from wardkeeper.processing.sla.models import Clock, ClockEvent
from wardkeeper.registry.calendars import services as calendars

pytestmark = pytest.mark.django_db

FRIDAY = datetime(2025, 6, 6, 8, 30, tzinfo=UTC)
"""16:30 in Shanghai; offices close at 17:30."""
ANSWERS = {"cause": "hardware", "solution": "换网线", "minutes": 20, "no_ci": True}
P1 = PriorityInput(breadth=3, tier=Tier.T1, degradation=3, area_class=AreaClass.A1)
P2 = PriorityInput(breadth=0, tier=Tier.T3, degradation=3, area_class=AreaClass.A0)
P3 = PriorityInput(breadth=2, tier=Tier.T3, degradation=2, area_class=AreaClass.A4)
P4 = PriorityInput(breadth=0, tier=Tier.T3, degradation=3, area_class=AreaClass.A4, safe_workaround=True)


@pytest.fixture
def place():
    return hospital.build()


class Case:
    """An incident that walks along its workflow at given minutes after its opening."""

    def __init__(self, place: hospital.Hospital, state: PriorityInput, opened: datetime = FRIDAY) -> None:
        self.place, self.opened = place, opened
        new = ledger.NewRecord(
            kind="incident", title="断网", place=place.ward, channel="portal", priority_input=state
        )
        self.id = ledger.open_record(new, actor=place.nurse, at=opened).pk

    def move(self, name: str, minute: float, **answers: Any) -> "Case":
        ledger.move(self.id, name, actor=self.place.engineer, answers=answers, at=self.after(minute))
        return self

    def after(self, minute: float) -> datetime:
        return self.opened + timedelta(minutes=minute)

    def follow(self) -> "Case":
        services.follow([self.id])
        return self

    @property
    def record(self) -> Record:
        return Record.objects.get(pk=self.id)

    def clock(self, name: str) -> Clock:
        return Clock.objects.get(record=self.id, clock=name)

    def states(self) -> dict[str, str]:
        return dict(Clock.objects.filter(record=self.id).values_list("clock", "state"))


def after(minute: float) -> datetime:
    return FRIDAY + timedelta(minutes=minute)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2025-06-{text}+08:00")


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


def test_a_policy_changed_while_paused_keeps_the_pause(place):
    case = Case(place, P1).move("accept", 1)
    case.move("pend", 10, pending_reason="user", next_action_at="2025-06-06T17:00").follow()
    targets = {**policy.DEFAULT, "1": {**policy.DEFAULT["1"], "restore": {"hours": 1}}}
    made = services.save_policy(targets, kind="incident", hospital=place.root, made_by=place.chief)
    assert ProcrastinateJob.objects.filter(task_name="sla.retarget").count() == 1
    assert services.retarget_open(kind="incident", hospital=place.root.pk, at=after(20)) == 1
    assert (case.states()["restore"], case.clock("restore").due_at) == ("paused", None)
    assert case.clock("restore").policy == f"{place.root.pk}/{made.version}"
    case.move("resume", 50).follow()
    assert (case.clock("restore").due_at, case.clock("restore").paused_s) == (after(100), 2400)
    assert case.clock("resolve").due_at == after(280)  # its target did not change
    events = ClockEvent.objects.filter(record=case.id, clock="restore").order_by("sequence")
    assert [event.kind for event in events] == ["start", "pause", "retarget", "resume"]


def test_another_hospitals_policy_touches_nothing_here(place):
    other = hospital.build("H2")
    case = Case(place, P1).follow()
    targets = {**policy.DEFAULT, "1": {**policy.DEFAULT["1"], "restore": {"hours": 9}}}
    services.save_policy(targets, kind="incident", hospital=other.root, made_by=other.chief)
    services.retarget_open(kind="incident", hospital=other.root.pk)
    assert case.follow().clock("restore").due_at == after(30)
    assert Case(other, P1).follow().clock("restore").due_at == after(540)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"calendar": "moon"}, "targets.1.calendar"),
        ({"goal_percent": 0}, "targets.1.goal_percent"),
        ({"restore": {"hours": -1}}, "targets.1.restore.hours"),
        ({"arrive": {"minutes": 10}}, "targets.1.arrive"),
    ],
)
def test_a_policy_that_cannot_be_computed_is_refused_by_its_path(place, change, field):
    targets = {**policy.DEFAULT, "1": {**policy.DEFAULT["1"], **change}}
    with pytest.raises(InvalidField) as refused:
        services.save_policy(targets, kind="incident", hospital=place.root, made_by=None)
    assert refused.value.field == field


def test_a_wrong_calendar_is_repaired_by_changing_it(place):
    week = {day: [["08:00", "12:00"], ["14:00", "17:30"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    kept = calendars.save_calendar(
        "service-hours", hospital=place.root.pk, name_zh="服务时间", name_en="Service hours",
        timezone="Asia/Shanghai", week=week,
    )  # fmt: skip
    case = Case(place, P3).follow()
    assert case.clock("restore").due_at == at("09T11:00")
    calendars.set_days(kept, [calendars.Day(on=at("09T00:00").date(), kind="holiday", title="停电检修")])
    assert services.rebuild_open(calendar="service-hours", hospital=place.root.pk) == 1
    assert case.clock("restore").due_at == at("10T11:00")
    assert case.record.due_at == at("06T16:45")


def test_a_changed_calendar_has_its_clocks_recomputed_by_a_job(place):
    calendars.save_calendar(
        "service-hours", hospital=place.root.pk, name_zh="服务时间", name_en="Service hours",
        timezone="Asia/Shanghai", week={},
    )  # fmt: skip
    message = CalendarChanged(calendar=1, code="service-hours", hospital=place.root.pk, version=2)
    for _ in range(2):
        handlers.follow_calendars([message])
    jobs = ProcrastinateJob.objects.filter(task_name="sla.rebuild")
    assert [job.args for job in jobs] == [{"calendar": "service-hours", "hospital": place.root.pk}]


def test_a_calendar_that_never_opens_leaves_its_clock_without_a_deadline(place):
    calendars.save_calendar(
        "service-hours",
        hospital=place.root.pk,
        name_zh="停用",
        name_en="Closed",
        timezone="Asia/Shanghai",
        week={},
    )
    case = Case(place, P3).follow()
    assert (case.clock("restore").state, case.clock("restore").due_at) == ("running", None)


def messages_of(case: Case) -> list[Any]:
    """The messages that its changes announced, decoded from what was announced."""
    rows = OutboxMessage.objects.order_by("pk")
    return [
        unseal(Envelope(topic=row.topic, id=str(row.message_id), key=row.key, payload=bytes(row.payload)))
        for row in rows
        if row.topic in {RecordOpened.TOPIC, RecordMoved.TOPIC, RecordChanged.TOPIC}
    ]


def test_messages_may_come_twice_and_in_any_order(place):
    case = Case(place, P1).move("accept", 1)
    case.move("pend", 10, pending_reason="user", next_action_at="2025-06-06T17:00").move("resume", 50)
    announced = messages_of(case)
    assert len(announced) == 4
    expected = None
    for order in list(permutations(announced))[::5]:
        with transaction.atomic():
            mark = transaction.savepoint()
            for message in order:
                handlers.follow_records([message])
            handlers.follow_records(list(order))
            rows = list(
                Clock.objects.filter(record=case.id)
                .order_by("clock")
                .values_list("clock", "state", "due_at", "paused_s")
            )
            events = ClockEvent.objects.filter(record=case.id).count()
            transaction.savepoint_rollback(mark)
        expected = expected or (rows, events)
        assert (rows, events) == expected
    assert expected is not None
    assert expected[0][1] == ("resolve", "running", after(280), 2400.0)


def test_lost_rows_are_rebuilt_from_the_events(place):
    case = Case(place, P1).move("accept", 1)
    case.move("pend", 10, pending_reason="user", next_action_at="2025-06-06T17:00").move(
        "resume", 50
    ).follow()
    services.warn_due(after(60))
    fields = ("clock", "state", "due_at", "paused_s", "warned_percent", "next_warning_at", "stopped_at")
    before = list(Clock.objects.filter(record=case.id).order_by("clock").values_list(*fields))
    Clock.objects.filter(record=case.id).delete()
    services.rebuild([case.id])
    assert list(Clock.objects.filter(record=case.id).order_by("clock").values_list(*fields)) == before


def test_events_can_only_be_added(place):
    case = Case(place, P1).follow()
    for statement in ("UPDATE sla_clockevent SET at = now()", "DELETE FROM sla_clockevent"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert ClockEvent.objects.filter(record=case.id).count() == 3


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
    with django_assert_max_num_queries(16):
        services.follow(cases)
