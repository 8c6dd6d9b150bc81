"""Followers, warners and people at work on the same records at the same moment, on real connections."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from tests.integration import hospital
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.ledger.priority import AreaClass, PriorityInput, Tier
from wardkeeper.processing.sla import services
from wardkeeper.processing.sla.models import Clock, ClockEvent

pytestmark = pytest.mark.django_db(transaction=True)
P1 = PriorityInput(breadth=3, tier=Tier.T1, degradation=3, area_class=AreaClass.A1)
RECORDS, ROUNDS = 12, 6


def test_nobody_waits_for_ever_and_nothing_is_told_twice():
    place = hospital.build()
    opened = timezone.now() - timedelta(seconds=61)
    ids = [
        ledger.open_record(
            ledger.NewRecord(
                kind="incident", title="断网", place=place.ward, channel="portal", priority_input=P1
            ),
            actor=place.nurse,
            at=opened,
        ).pk
        for _ in range(RECORDS)
    ]

    def follower(seed: int) -> None:
        for turn in range(ROUNDS):
            services.follow(random.Random(seed + turn).sample(ids, RECORDS // 2))

    def warner(seed: int) -> None:
        for turn in range(ROUNDS):
            services.warn_due(opened + timedelta(seconds=60 + 15 * (seed + turn)))

    def person(seed: int) -> None:
        for record_id in random.Random(seed).sample(ids, RECORDS):
            ledger.comment(record_id, actor=place.engineer, note="在看")

    def acceptor(seed: int) -> None:
        for record_id in ids[:RECORDS:2]:
            ledger.move(record_id, "accept", actor=place.engineer)

    at_once(follower, follower, warner, warner, person, acceptor)
    services.follow(ids)

    accepted = dict(Clock.objects.filter(record__in=ids, clock="accept").values_list("record", "state"))
    assert [accepted[record_id] != "running" for record_id in ids] == [True, False] * (RECORDS // 2)
    for record_id in ids:
        told = ClockEvent.objects.filter(record=record_id, kind="warn").values_list("clock", "percent")
        assert len(told) == len(set(told))
        assert Entry.objects.filter(record=record_id, kind="clock").count() == len(told)
        assert ClockEvent.objects.filter(record=record_id, kind="start").count() == 3
        record = Record.objects.get(pk=record_id)
        running = Clock.objects.filter(record=record_id, state="running").order_by("due_at").first()
        assert running is not None
        assert (record.due_at, record.due_clock) == (running.due_at, running.clock)


def at_once(*works: Callable[[int], None]) -> None:
    def run(work: Callable[[int], None], seed: int) -> None:
        try:
            work(seed)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(run, work, seed) for seed, work in enumerate(works)]:
            done.result(timeout=60)
