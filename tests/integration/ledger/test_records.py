"""Records, journals and their proof, on a real PostgreSQL."""

import argparse
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils import translation

from tests.integration import hospital
from wardkeeper.bus.models import OutboxMessage
from wardkeeper.cli import verify
from wardkeeper.ledger import chain, queries, services
from wardkeeper.ledger.errors import AnswersMissing, Changed, MoveNotAllowed, SecondPersonNeeded
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.ledger.priority import AreaClass, PatientSafety, PriorityInput, Tier
from wardkeeper.ledger.wording import both

pytestmark = pytest.mark.django_db
BAD = PriorityInput(breadth=3, tier=Tier.T1, degradation=3, area_class=AreaClass.A1)


@pytest.fixture
def place():
    return hospital.build()


def opened(place: hospital.Hospital, **more) -> Record:
    new = services.NewRecord(kind="incident", title="打印机卡纸", place=place.ward, channel="portal", **more)
    return services.open_record(new, actor=place.nurse)


def test_numbers_count_per_hospital_kind_and_local_day():
    one, other = hospital.build("H1"), hospital.build("H2")
    at = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)  # already the 23rd in Shanghai
    numbers = [
        services.open_record(
            services.NewRecord(kind="incident", title="x", place=where.ward, channel="portal"),
            actor=None,
            at=at,
        ).number
        for where in (one, one, other)
    ]
    assert numbers == ["20261123-INC-0001", "20261123-INC-0002", "20261123-INC-0001"]


def test_every_change_is_an_entry_a_version_and_a_message(place):
    record = opened(place, priority_input=BAD)
    assert (record.priority_code, record.priority_why) == ("P1", "I1 x U1, R4")
    record = services.move(record.pk, "accept", actor=place.engineer, version=record.version)
    record = services.assign(
        record.pk, actor=place.engineer, team=place.network, assignee=place.engineer, version=record.version
    )
    record = services.comment(record.pk, actor=place.engineer, note="换了搓纸轮")
    entries = list(Entry.objects.filter(record=record).order_by("sequence"))
    assert [entry.kind for entry in entries] == ["opened", "moved", "assigned", "comment"]
    assert record.version == record.entry_count == 4
    topics = list(OutboxMessage.objects.order_by("pk").values_list("topic", flat=True))
    assert topics == ["record.opened", "record.moved", "record.assigned", "record.changed"]
    team = {"zh": "网络组", "en": "Network team"}
    assert entries[2].changes == {"team": [None, team], "assignee": [None, "Engineer"]}


@pytest.mark.parametrize(("language", "name"), [("zh-hans", "网络组"), ("en", "Network team")])
def test_journal_names_a_team_in_the_readers_language(place, language, name):
    record = opened(place)
    services.assign(
        record.pk,
        actor=None,
        team=place.network,
        note="Dispatched to %(team)s, who solves such faults.",
        params={"team": both(place.network)},
    )
    entry = Entry.objects.get(record=record, kind="assigned")
    with translation.override(language):
        assert queries.changes_of(entry) == {"team": (None, name)}
        assert name in queries.said(entry)


def test_a_move_that_the_workflow_does_not_know_says_what_is_possible(place):
    record = opened(place)
    with pytest.raises(MoveNotAllowed) as refused:
        services.move(record.pk, "resolve", actor=place.engineer)
    assert "accept" in refused.value.allowed
    record.refresh_from_db()
    assert (record.state, record.version) == ("new", 1)


def test_resolving_needs_cause_solution_minutes_and_ci(place):
    record = opened(place)
    services.move(record.pk, "accept", actor=place.engineer)
    with pytest.raises(AnswersMissing) as missing:
        services.move(record.pk, "resolve", actor=place.engineer, answers={"cause": "hardware", "minutes": 0})
    assert set(missing.value.fields) == {"solution"}
    answers = {"cause": "hardware", "solution": "换纸", "minutes": 0, "no_ci": True}
    record = services.move(record.pk, "resolve", actor=place.engineer, answers=answers)
    assert record.state == "resolved"
    assert record.resolved_at is not None


def test_the_second_writer_sees_what_changed_and_loses_nothing(place):
    record = opened(place)
    services.change(record.pk, actor=place.chief, version=record.version, title="条码打印机卡纸")
    with pytest.raises(Changed) as changed:
        services.change(record.pk, actor=place.engineer, version=record.version, description="三楼护士站")
    assert changed.value.attempt == {"description": "三楼护士站"}
    assert [entry.changes for entry in changed.value.entries] == [{"title": ["打印机卡纸", "条码打印机卡纸"]}]
    again = services.change(
        record.pk, actor=place.engineer, version=changed.value.record.version, **changed.value.attempt
    )
    assert (again.title, again.description) == ("条码打印机卡纸", "三楼护士站")


def test_a_comment_in_the_meantime_does_not_get_into_the_way(place):
    record = opened(place)
    services.comment(record.pk, actor=place.chief, note="我在路上")
    assert (
        services.move(record.pk, "accept", actor=place.engineer, version=record.version).state == "accepted"
    )


def test_lowering_a_safety_record_needs_a_second_person(place):
    record = opened(place, priority_input=replace(BAD, patient_safety=PatientSafety.ACTUAL))
    mild = PriorityInput(breadth=0, tier=Tier.T4, degradation=0, area_class=AreaClass.A4)
    for second in (None, place.engineer):
        with pytest.raises(SecondPersonNeeded):
            services.set_priority(record.pk, mild, actor=place.engineer, reason="误报", second=second)
    lowered = services.set_priority(record.pk, mild, actor=place.engineer, reason="误报", second=place.chief)
    assert lowered.priority_code == "P5"


def test_the_journal_refuses_change_in_the_database_itself(place):
    record = opened(place)
    for statement in (
        "UPDATE ledger_entry SET note = 'x' WHERE record_id = %s",
        "DELETE FROM ledger_entry WHERE record_id = %s",
    ):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, [record.pk])


def tamper(statement: str, *values: object) -> None:
    """As somebody would who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks outstanding cannot be altered
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ALL")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER ALL")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE ledger_entry SET note = 'never said' WHERE record_id = %s AND sequence = 2", "changed"),
        (
            "UPDATE ledger_entry SET at = at - interval '1 hour' WHERE record_id = %s AND sequence = 2",
            "changed",
        ),
        ("DELETE FROM ledger_entry WHERE record_id = %s AND sequence = 2", "missing"),
        ("DELETE FROM ledger_entry WHERE record_id = %s AND sequence = 3", "missing"),
    ],
)
def test_verify_finds_what_was_changed_or_taken_away(place, statement, what):
    record = opened(place)
    services.comment(record.pk, actor=place.nurse, note="还是不行")
    services.comment(record.pk, actor=place.nurse, note="好了")
    assert list(chain.verify()) == []
    tamper(statement, record.pk)
    assert [finding.what for finding in chain.verify()] == [what]


def test_a_seal_finds_a_tail_taken_away_together_with_the_records_own_memory_of_it(place):
    record = opened(place)
    first_hash = record.entry_hash
    services.comment(record.pk, actor=place.nurse, note="患者在等")
    assert chain.seal() is not None
    assert chain.seal() is None
    tamper("DELETE FROM ledger_entry WHERE record_id = %s AND sequence = 2", record.pk)
    Record.objects.filter(pk=record.pk).update(entry_count=1, version=1, entry_hash=first_hash)
    assert [finding.what for finding in chain.verify()] == ["seal_broken"]


def test_a_reader_of_another_hospital_sees_nothing(place):
    other = hospital.build("H2")
    record = opened(place)
    assert queries.records(other.scope, queries.Filter()).items == []
    assert queries.records(other.scope, queries.Filter(text="打印机")).items == []
    assert queries.filtered(other.scope, queries.Filter()).count() == 0
    with pytest.raises(Record.DoesNotExist):
        queries.record(other.scope, record.pk)
    assert queries.record(place.scope, record.pk) == record


def test_two_chinese_characters_find_a_record_and_so_does_its_number(place):
    record = opened(place, description="护士站断网了")
    for text in ("断网", "卡纸 护士", record.number, "纸"):
        assert queries.records(place.scope, queries.Filter(text=text)).items == [record], text
    assert queries.records(place.scope, queries.Filter(text="断电")).items == []


def test_pages_follow_each_other_without_gap_or_repetition(place, django_assert_max_num_queries):
    made = [opened(place) for _ in range(7)]
    services.set_due(made[3].pk, datetime(2026, 1, 1, tzinfo=UTC), "resolve")
    services.set_due(made[5].pk, datetime(2026, 1, 2, tzinfo=UTC), "resolve")
    seen, cursor, scope = [], "", place.scope
    while True:
        with django_assert_max_num_queries(2):
            page = queries.records(scope, queries.Filter(), cursor=cursor, size=3)
        seen += page.items
        if page.next is None:
            break
        cursor = page.next
    assert seen == [made[3], made[5], made[0], made[1], made[2], made[4], made[6]]


def test_the_command_names_what_was_changed_and_exits_1(place, capsys):
    record = opened(place)
    chain.seal()
    assert verify.run(argparse.Namespace()) == 0
    tamper("UPDATE ledger_entry SET note = 'never said' WHERE record_id = %s", record.pk)
    assert verify.run(argparse.Namespace()) == 1
    assert f"changed {record.number}/1" in capsys.readouterr().out
