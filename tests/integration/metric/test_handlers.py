"""From a message to an alarm, in one transaction; what is done on a timetable."""

import time

import pytest
from django.utils import timezone
from procrastinate.contrib.django import app

from tests.integration import hospital
from tests.integration.metric.room import MINUTE, poll
from wardkeeper.aggregation.alarm.models import Alarm
from wardkeeper.aggregation.discovery.models import Component
from wardkeeper.aggregation.metric import handlers, jobs
from wardkeeper.aggregation.metric.models import Block, Feed, Poll
from wardkeeper.messages import Target, TargetsAssigned


@pytest.fixture
def now_ms():
    return int(timezone.now().timestamp() * 1000)


@pytest.fixture
def switch(db):
    return hospital.build().switch


def take(room, *messages):
    with room.commit(execute=True):
        handlers.take_samples(messages)


def test_a_port_that_goes_down_is_one_alarm_with_its_name(room, switch, now_ms):
    for kind, name in (("interface", "Gi1/0/3"), ("storage", "/var")):
        Component.objects.create(ci=switch, kind=kind, instance="3", name=name, seen_at=timezone.now())
    batch = [
        poll(now_ms - (5 - at) * MINUTE, {"interface.down{3}": down}, ci=switch.pk)
        for at, down in enumerate([0, 1, 1])
    ]
    take(room, *batch)
    take(room, *batch)
    alarm = Alarm.objects.get()
    assert (alarm.ci, alarm.condition, alarm.severity, alarm.state) == (
        switch,
        "interface.down",
        "major",
        "active",
    )
    assert (alarm.count, alarm.parameters["name"]) == (1, "Gi1/0/3")
    assert Poll.objects.count() == 3
    take(room, poll(now_ms, {"interface.down{3}": 0}, ci=switch.pk))
    alarm.refresh_from_db()
    assert alarm.state == "cleared"


def test_a_backbone_device_that_does_not_answer_is_critical(room, switch, now_ms):
    take(room, *(poll(now_ms - at * MINUTE, {"device.reachable": 0}, ci=switch.pk) for at in (2, 1)))
    assert Alarm.objects.get().severity == "critical"


def test_a_target_that_is_assigned_and_never_heard_of_is_an_alarm(room, switch, now_ms, monkeypatch):
    target = Target(id="t", ci=switch.pk, adapter="icmp", interval_s=60, config={})
    handlers.take_targets([TargetsAssigned(collector="local", version=1, targets=(target,))])
    Feed.objects.update(watched_ms=now_ms - 10 * MINUTE)
    monkeypatch.setattr(jobs, "_STARTED", time.monotonic())
    jobs.watch_for_silence(0)
    assert not Alarm.objects.exists(), "everything has just started: the collector had no turn yet"
    monkeypatch.setattr(jobs, "_STARTED", time.monotonic() - jobs.SETTLED_S)
    jobs.watch_for_silence(0)
    jobs.watch_for_silence(0)
    alarm = Alarm.objects.get()
    assert (alarm.condition, alarm.count, alarm.state) == ("device.no_data", 1, "active")
    take(room, poll(now_ms, {"device.reachable": 1}, ci=switch.pk, target="t"))
    alarm.refresh_from_db()
    assert alarm.state == "cleared"


def test_the_jobs_are_on_the_timetable_and_pack_what_is_due(room, switch, now_ms):
    periodic = {task.task.name for task in app.periodic_registry.periodic_tasks.values()}
    assert {"metric.pack", "metric.silence"} <= periodic
    take(room, *(poll(now_ms - (400 - at) * MINUTE, {"host.load_1m": at}, ci=switch.pk) for at in range(100)))
    jobs.pack(0)
    assert not Poll.objects.exists()
    assert Block.objects.filter(step_s=0).exists()
