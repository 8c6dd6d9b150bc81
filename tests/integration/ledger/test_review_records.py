"""What a second look at the ledger found: odd titles, answers nobody asked, pages walked by an index."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration import hospital
from wardkeeper.ledger import chain, queries, services
from wardkeeper.ledger.errors import AnswersMissing
from wardkeeper.ledger.models import Record

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return hospital.build()


def opened(place, **more) -> Record:
    new = services.NewRecord(
        **{"kind": "incident", "title": "卡纸", "place": place.ward, "channel": "portal", **more}
    )
    return services.open_record(new, actor=place.nurse)


def test_a_person_may_write_a_percent_sign_into_the_title_of_a_record_that_the_system_opened(place):
    record = opened(place, title="%(ci)s does not answer", title_params={"ci": "SW-1"})
    services.change(record.pk, actor=place.engineer, version=1, title="100% 断网 %d")
    assert Record.objects.get(pk=record.pk).shown_title == "100% 断网 %d"


def test_a_move_writes_only_what_it_asks(place):
    record = opened(place, requester=place.nurse)
    answers = {"reason": "已好", "solution": "不是我写的"}
    with pytest.raises(AnswersMissing) as refused:
        services.move(record.pk, "withdraw", actor=place.nurse, answers=answers)
    assert set(refused.value.fields) == {"solution"}
    assert Record.objects.get(pk=record.pk).fields == {}


@pytest.mark.parametrize("wrong", ["banana", 7, True, "2026-13-22T08:00"])
def test_a_date_that_is_none_is_refused(place, wrong):
    record = opened(place)
    services.move(record.pk, "accept", actor=place.engineer)
    answers = {"pending_reason": "parts", "next_action_at": wrong}
    with pytest.raises(AnswersMissing) as refused:
        services.move(record.pk, "pend", actor=place.engineer, answers=answers)
    assert set(refused.value.fields) == {"next_action_at"}


def test_the_newest_first_need_no_sorting_and_a_later_page_begins_in_the_index(place):
    for _ in range(4):
        opened(place)
    wanted, reader = queries.Filter(kind="incident", sort="newest"), place.scope
    first = queries.records(reader, wanted, size=2)
    with CaptureQueriesContext(connection) as seen:
        second = queries.records(reader, wanted, size=2, cursor=first.next or "")
    assert {row.pk for row in first.items}.isdisjoint(row.pk for row in second.items)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {seen.captured_queries[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Sort" not in plan
    assert "opened_at <=" in plan.partition("Filter:")[0]


def test_sealing_holds_the_journal_only_while_it_looks_for_the_end(place):
    opened(place)
    with CaptureQueriesContext(connection) as seen:
        assert chain.seal()
    assert chain.seal() is None
    statements = [query["sql"] for query in seen.captured_queries]
    locked = next(at for at, sql in enumerate(statements) if sql.startswith("LOCK TABLE"))
    released = next(
        at for at, sql in enumerate(statements) if at > locked and sql.startswith("RELEASE SAVEPOINT")
    )
    hashed = next(at for at, sql in enumerate(statements) if '"hash"' in sql and "ledger_entry" in sql)
    assert locked < released < hashed


def test_what_is_reported_most_is_learnt_without_counting_every_record(place, django_assert_max_num_queries):
    opened(place)
    with django_assert_max_num_queries(4):
        queries.frequent_categories(place.ward.path, since=Record.objects.get().opened_at)
