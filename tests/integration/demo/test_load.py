"""Hospital M in a real database: whole, in order, chained and sealed."""

import pytest
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from wardkeeper.cli.demo import load
from wardkeeper.cli.setup import _fill_rooms
from wardkeeper.ledger import chain, workflow
from wardkeeper.ledger.models import Category, Entry, NumberCounter, Record, Seal
from wardkeeper.ledger.services.records import record_terms
from wardkeeper.processing.sla.models import Clock
from wardkeeper.registry.cmdb.models import CI, Consumer, Relation
from wardkeeper.registry.people.models import Person
from wardkeeper.registry.people.services import authenticate_person, ensure_admin
from wardkeeper.registry.places.models import Place
from wardkeeper.runtime.errors import RefusalError

COUNT = 1200
PASSWORD = "demo-pass-4711"


def set_up_house():
    _fill_rooms()
    ensure_admin()


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker):
    """One load for all tests of this file; it is rolled back behind them."""
    with django_db_blocker.unblock(), transaction.atomic():
        set_up_house()
        loaded = load.load(PASSWORD, now=timezone.now(), count=COUNT)
        yield loaded
        transaction.set_rollback(True)


def test_the_hospital_has_its_places_systems_and_terminals(house):
    assert Place.objects.get(kind="hospital").name_zh == "示范医院 M"
    assert Place.objects.filter(kind="campus").count() == 3
    assert Place.objects.filter(kind__in=("department", "ward")).count() == 111
    assert CI.objects.filter(type__is_service=True).count() == 60
    assert CI.objects.filter(type__code="printer", code__startswith="PRN-0").count() == 2800
    assert Relation.objects.filter(source__code="LIS", target__code="DB-SQL").exists()
    assert Consumer.objects.filter(ci__code="AIMS").count() == 3
    assert (
        Person.objects.filter(is_demo=True, grants__role__code__in=("engineer", "chief", "operator")).count()
        == 40
    )


def test_how_long_each_part_took_is_told(house):
    assert set(house.seconds) == {"hospital", "records", "clocks", "seal"}


def test_the_chain_verifies_to_the_last_seal(house):
    assert list(chain.verify()) == []
    assert Seal.objects.latest("last_entry").last_entry == Entry.objects.latest("pk").pk
    assert Entry.objects.count() == house.entries


def test_times_of_every_record_are_in_order_and_past(house):
    now = timezone.now()
    wrong = Record.objects.filter(
        Q(opened_at__gt=now)
        | Q(accepted_at__lt=F("opened_at"))
        | Q(resolved_at__lt=F("accepted_at"))
        | Q(restored_at__gt=F("resolved_at"))
        | Q(closed_at__lt=F("resolved_at"))
        | Q(closed_at__gt=now)
    )
    assert not wrong.exists()
    for record in Record.objects.order_by("pk")[:200]:
        times = list(record.entries.order_by("sequence").values_list("at", flat=True))
        assert times == sorted(times)


def test_every_move_is_one_that_the_workflow_allows(house):
    flow = workflow.workflow_for("incident")
    for before, name, after in (
        Entry.objects.filter(kind="moved").values_list("before", "move", "after").distinct()
    ):
        move = flow.move(name)
        assert move is not None
        assert before in move.sources
        assert after == move.target


def test_what_is_open_now_has_all_states_and_running_clocks(house):
    open_now = Record.objects.filter(is_open=True)
    assert 60 <= open_now.count() <= 90
    assert set(open_now.values_list("state", flat=True)) == set(load.OPEN_NOW)
    waiting = open_now.exclude(state__in=("resolved", "pending", "restored"))
    assert not waiting.filter(due_at=None).exists()
    assert Clock.objects.filter(record__in=open_now, state="running").count() > 60
    assert open_now.filter(due_at__lt=timezone.now()).exists()


def test_closed_records_of_the_last_month_have_met_and_missed_clocks(house):
    states = set(Clock.objects.filter(record__is_open=False).values_list("state", flat=True))
    assert {"met", "breached"} <= states


def test_priorities_are_mostly_everyday_ones(house):
    shares = {level: Record.objects.filter(priority=level).count() / COUNT for level in range(1, 6)}
    assert shares[1] < 0.015
    assert shares[2] < 0.12
    assert shares[3] + shares[4] > 0.6


def test_numbers_go_on_after_the_last_one_of_the_day(house):
    newest = Record.objects.order_by("-number")[0].number
    day, _, last = newest.split("-")
    counter = NumberCounter.objects.order_by("-on")[0]
    assert (f"{counter.on:%Y%m%d}", counter.last) == (day, int(last))


def test_records_are_found_by_the_terms_that_the_ledger_would_give(house):
    for record in Record.objects.select_related("place", "ci")[:50]:
        assert sorted(record.terms) == sorted(record_terms(record))


def test_everything_says_that_it_is_a_demo(house):
    assert not Record.objects.filter(is_demo=False).exists()
    assert not Category.objects.filter(team_code="").exists()


def test_the_demo_logins_open_and_a_second_load_is_refused(house):
    assert load.is_loaded()
    for username in ("demo.engineer", "demo.operator", "demo.nurse", "demo.director", "demo.admin"):
        assert authenticate_person(username, PASSWORD).is_demo
    with pytest.raises(RefusalError, match="data directory of its own"):
        load.load(PASSWORD, now=timezone.now(), count=10)
