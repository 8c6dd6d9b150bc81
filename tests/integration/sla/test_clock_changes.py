"""Clocks when targets or calendars change, messages are disordered, or the cache is lost."""

from itertools import permutations
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.integration import hospital
from tests.integration.sla.incidents import P1, P3, Case, after, at
from wardkeeper.bus import Envelope
from wardkeeper.bus.codec import unseal
from wardkeeper.bus.models import OutboxMessage
from wardkeeper.messages import CalendarChanged, RecordChanged, RecordMoved, RecordOpened
from wardkeeper.messages.sentence import InvalidField
from wardkeeper.processing.sla import handlers, policy, services
from wardkeeper.processing.sla.models import Clock, ClockEvent
from wardkeeper.registry.calendars import services as calendars

pytestmark = pytest.mark.django_db


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
