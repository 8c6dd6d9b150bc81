"""The API as a program uses it: tokens, rights, problems, pages."""

import json
import uuid

import pytest
from django.test import Client

from tests.integration import hospital
from wardkeeper.aggregation.discovery.models import WatchTarget
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Record
from wardkeeper.registry.people import services as people

pytestmark = pytest.mark.django_db


class Program:
    """Calls the API with one person's token."""

    def __init__(self, person) -> None:
        self.client = Client()
        self.headers = {"authorization": f"Bearer {people.create_token(person, name='test')}"}

    def get(self, path, **query):
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def send(self, path, body, method="POST"):
        text = body if isinstance(body, str) else json.dumps(body)
        return self.client.generic(
            method, f"/api/v1/{path}", text, content_type="application/json", headers=self.headers
        )


@pytest.fixture
def place():
    return hospital.build()


@pytest.fixture
def engineer(place):
    return Program(place.engineer)


def incident(place, program) -> dict:
    body = {
        "submission": str(uuid.uuid4()),
        "title": "检验系统打不开",
        "place": place.ward.pk,
        "ci": place.lis.pk,
    }
    answer = program.send("incidents", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_without_a_token_the_answer_is_a_problem_that_says_what_to_send(place):
    answer = Client(headers={"accept-language": "zh-hans"}).get("/api/v1/records")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.json()["status"] == 401


def test_the_two_questions_need_nobody():
    body = {"breadth": 3, "tier": "T1", "degradation": 3, "area_class": "A1"}
    answer = Client().post("/api/v1/priority", body, content_type="application/json").json()
    assert (answer["priority"], answer["impact"], answer["urgency"], answer["rules"]) == (
        "P1",
        "I1",
        "U1",
        ["R4"],
    )
    asked = {
        "calendar": {"timezone": "Asia/Shanghai", "week": {"mon": [["08:00", "12:00"], ["14:00", "18:00"]]}},
        "start": "2026-11-23T11:00:00+08:00",
        "target": {"hours": 2},
    }
    answer = Client().post("/api/v1/deadline", asked, content_type="application/json").json()
    assert answer["due"] == "2026-11-23T15:00:00+08:00"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"breadth": 9},
        {"breadth": 1, "tier": "T1", "degradation": 1, "area_class": "A9"},
        [],
        "x",
        '{"a":NaN}',
    ],
)
def test_a_wrong_question_is_a_problem_that_names_the_field(body):
    text = body if isinstance(body, str) else json.dumps(body)
    answer = Client().post("/api/v1/priority", text, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_incident_lives_through_the_api(place, engineer):
    record = incident(place, engineer)
    assert (record["priority"], record["why"]) == ("P2", "I3 x U1")
    path = f"records/{record['id']}"
    moved = engineer.send(f"{path}/moves", {"move": "accept", "version": record["version"]}).json()
    assert (moved["state"], moved["assignee"]["name"]) == ("accepted", "Engineer")
    refused = engineer.send(f"{path}/moves", {"move": "resolve", "version": moved["version"]})
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == {"cause", "solution", "minutes"}
    answers = {"cause": "software", "solution": "重启服务", "minutes": 12}
    done = engineer.send(
        f"{path}/moves", {"move": "resolve", "version": moved["version"], "answers": answers}
    )
    assert done.json()["state"] == "resolved"
    whole = engineer.get(path).json()
    assert [entry["kind"] for entry in whole["entries"]] == ["opened", "assigned", "moved", "moved"]


def test_the_second_writer_gets_409_with_what_changed_and_what_they_wanted(place, engineer):
    record = incident(place, engineer)
    path = f"records/{record['id']}"
    engineer.send(path, {"version": record["version"], "title": "全院检验系统打不开"}, "PATCH")
    late = engineer.send(path, {"version": record["version"], "description": "07:40 起"}, "PATCH")
    assert late.status_code == 409
    problem = late.json()
    assert problem["attempt"] == {"description": "07:40 起"}
    assert problem["entries"][0]["changes"]["title"][1] == "全院检验系统打不开"


def test_another_hospital_gets_nothing_by_list_id_search_or_writing(place, engineer):
    record = incident(place, engineer)
    other = Program(hospital.build("H2").engineer)
    assert other.get("records").json() == {"items": [], "next": None}
    assert other.get("records", q="检验").json()["items"] == []
    for answer in (
        other.get(f"records/{record['id']}"),
        other.send(f"records/{record['id']}/comments", {"note": "x"}),
        other.send(f"records/{record['id']}/moves", {"move": "accept", "version": 1}),
        other.get(f"cis/{place.switch.pk}"),
    ):
        assert answer.status_code == 404
    assert {ci["id"] for ci in other.get("cis").json()["items"]}.isdisjoint({place.switch.pk, place.lis.pk})
    assert {at["hospital"] for at in other.get("places").json()["items"]}.isdisjoint({place.root.pk})
    stolen = {"submission": str(uuid.uuid4()), "title": "x", "place": place.ward.pk}
    assert other.send("incidents", stolen).status_code == 403


def test_a_nurse_sees_her_own_report_with_the_public_lines_only(place):
    nurse = Program(place.nurse)
    record = incident(place, Program(place.engineer))
    assert nurse.get(f"records/{record['id']}").status_code == 404
    body = {"submission": str(uuid.uuid4()), "title": "打印机卡纸", "place": place.ward.pk}
    own = nurse.send("incidents", body).json()
    ledger.comment(own["id"], actor=place.engineer, note="内部备注")
    ledger.comment(own["id"], actor=place.engineer, note="马上到", is_public=True)
    notes = [entry["note"] for entry in nurse.get(f"records/{own['id']}").json()["entries"]]
    assert "马上到" in notes
    assert "内部备注" not in notes


def test_pages_follow_by_cursor_with_few_statements(place, engineer, django_assert_max_num_queries):
    for _ in range(7):
        incident(place, engineer)
    with django_assert_max_num_queries(10):
        first = engineer.get("records", limit=5).json()
    second = engineer.get("records", limit=5, cursor=first["next"]).json()
    assert len({row["id"] for row in first["items"] + second["items"]}) == Record.objects.count() == 7
    assert second["next"] is None
    assert engineer.get("records", cursor="x").status_code == 400


def test_a_secret_sent_as_a_setting_is_sealed(place):
    chief = Program(place.chief)
    body = {
        "name": "六病区交换机", "address": "127.0.9.6", "type": "switch", "place": place.ward.pk,
        "watch": [{"adapter": "snmp_poll", "config": {"host": "127.0.9.6", "community": "hush"}}],
    }  # fmt: skip
    answer = chief.send("devices", body)
    assert answer.status_code == 201, answer.content
    target = WatchTarget.objects.get(ci=answer.json()["id"])
    assert "hush" not in json.dumps(target.config) + target.secrets
    wrong = chief.send(
        "devices", {**body, "address": "127.0.9.7", "name": "x", "watch": [{"adapter": "nothing"}]}
    )
    assert wrong.status_code == 422


def test_text_that_postgresql_cannot_keep_is_refused(place, engineer):
    assert engineer.send("records/1/comments", '{"note": "a\\u0000b"}').status_code == 400
    assert engineer.get("records", q="a\x00b").status_code == 400
