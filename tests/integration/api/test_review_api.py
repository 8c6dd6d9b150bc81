"""What a second look at the API found: things of another hospital named by id, and odd values."""

import json
import time
import uuid

import pytest
from django.conf import settings
from django.test import Client

from tests.integration import hospital
from tests.integration.api.test_api import Program, incident
from wardkeeper.presentation.web.middleware import SEEN_AT
from wardkeeper.processing.dispatch import services as dispatch
from wardkeeper.registry.people import services as people
from wardkeeper.settings import current

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return hospital.build()


@pytest.fixture
def other():
    return hospital.build("H2")


@pytest.fixture
def engineer(place):
    return Program(place.engineer)


def new_ci(place, **more) -> dict:
    return {"type": "switch", "code": "SW-9", "name": "九病区交换机", "place": place.ward.pk, **more}


def test_no_ci_gets_a_team_of_another_hospital(place, other, engineer):
    assert engineer.send("cis", new_ci(place, owner_team=other.network.pk)).status_code == 404
    device = {**new_ci(place, owner_team=other.network.pk), "address": "127.0.9.9"}
    assert engineer.send("devices", device).status_code == 404
    changed = engineer.send(
        f"cis/{place.switch.pk}", {"version": 1, "owner_team": other.network.pk}, method="PATCH"
    )
    assert changed.status_code == 404


def test_no_record_goes_to_the_team_of_another_hospital(place, other, engineer):
    place.lis.owner_team = other.network
    place.lis.save()
    record = incident(place, engineer)
    assert dispatch.dispatch(record["id"]).team == place.desk


def test_no_record_names_a_ci_of_another_hospital_even_for_who_works_in_both(place, other, engineer):
    people.grant(place.engineer, "engineer", other.root)
    body = {"submission": str(uuid.uuid4()), "title": "x", "place": place.ward.pk, "ci": other.switch.pk}
    assert engineer.send("incidents", body).status_code == 404
    record = incident(place, engineer)
    changed = engineer.send(f"records/{record['id']}", {"version": 1, "ci": other.switch.pk}, method="PATCH")
    assert changed.status_code == 404


def test_a_submission_that_somebody_else_used_shows_nothing_of_their_report(place, other, engineer):
    submission = str(uuid.uuid4())
    body = {"submission": submission, "title": "只给本院看", "place": place.ward.pk}
    assert engineer.send("incidents", body).status_code == 201
    stranger = Program(other.engineer).send("incidents", {**body, "place": other.ward.pk})
    assert stranger.status_code == 409
    assert "只给本院看" not in stranger.content.decode()


def test_an_idle_browser_is_signed_out_of_the_api_too(place):
    browser = Client()
    browser.force_login(place.engineer, backend=settings.AUTHENTICATION_BACKENDS[0])
    assert browser.get("/api/v1/records").status_code == 200
    session = browser.session
    session[SEEN_AT] = int(time.time()) - current().web.idle_minutes * 60 - 1
    session.save()
    assert browser.get("/api/v1/records").status_code == 401


@pytest.mark.parametrize("address", [["mac", "zz"], ["ip", "300.1.1.1"], ["name", "a b"]])
def test_what_is_no_address_is_a_problem_not_a_failure(place, engineer, address):
    assert engineer.send("cis", new_ci(place, addresses=[address])).status_code == 422


def test_the_first_hour_of_time_is_a_problem_not_a_failure(place, engineer):
    asked = {"ci": place.switch.pk, "metric": "icmp.rtt_ms", "end": "0001-01-01T00:30:00+00:00"}
    assert engineer.get("samples", **asked).status_code == 422


def test_a_percent_sign_in_a_title_breaks_no_list(place, engineer):
    record = incident(place, engineer)
    changed = engineer.send(
        f"records/{record['id']}", json.dumps({"version": 1, "title": "50%(断网"}), method="PATCH"
    )
    assert changed.status_code == 200
    assert engineer.get("records").json()["items"][0]["title"] == "50%(断网"
