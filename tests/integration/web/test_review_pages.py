"""What a second look at the pages found."""

import pytest
from django.conf import settings
from django.test import Client

from tests.integration import hospital
from wardkeeper.ledger import priority, services
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.registry.cmdb import services as cmdb
from wardkeeper.registry.people import services as people

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return hospital.build()


def browser_of(person) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return browser


def opened(place, **more) -> Record:
    new = services.NewRecord(kind="incident", title="卡纸", place=place.ward, channel="portal", **more)
    return services.open_record(new, actor=None)


def test_a_name_with_a_nul_byte_is_just_a_wrong_name(place):
    answer = Client(raise_request_exception=False).post("/login/", {"username": "a\x00b", "password": "x"})
    assert answer.status_code == 422


def test_who_resolves_may_name_what_failed_in_the_same_dialog(place):
    record = opened(place)
    services.move(record.pk, "accept", actor=place.engineer)
    sent = {
        "version": 2, "ci": place.switch.code, "cause": "network", "solution": "换网线", "minutes": "5",
    }  # fmt: skip
    answer = browser_of(place.engineer).post(f"/records/{record.pk}/moves/resolve/", sent)
    assert answer.status_code == 200
    record.refresh_from_db()
    assert (record.state, record.ci) == ("resolved", place.switch)


def test_a_step_that_is_refused_does_not_leave_the_ci_behind(place):
    record = opened(place)
    services.move(record.pk, "accept", actor=place.engineer)
    sent = {"version": 2, "ci": place.switch.code, "cause": "network"}
    assert browser_of(place.engineer).post(f"/records/{record.pk}/moves/resolve/", sent).status_code == 422
    record.refresh_from_db()
    assert record.ci is None


def test_a_date_before_all_dates_is_asked_again(place):
    record = opened(place)
    services.move(record.pk, "accept", actor=place.engineer)
    sent = {"version": 2, "pending_reason": "parts", "next_action_at": "0001-01-01T00:00"}
    answer = browser_of(place.engineer).post(f"/records/{record.pk}/moves/pend/", sent)
    assert answer.status_code in (200, 422)


def test_the_second_person_must_hold_the_right_themselves(place):
    bad = priority.PriorityInput(
        breadth=3, tier=priority.Tier.T1, degradation=3, area_class=priority.AreaClass.A1
    )
    record = opened(place, priority_input=bad)
    stranger = hospital.build("H2").chief
    sent = {
        "version": 1, "reason": "查清", "breadth": "0", "degradation": "1", "tier": "T4", "area_class": "A4",
        "patient_safety": "none", "second": stranger.username, "second_password": hospital.PASSWORD,
    }  # fmt: skip
    answer = browser_of(place.chief).post(f"/records/{record.pk}/priority/", sent)
    assert answer.status_code == 422
    record.refresh_from_db()
    assert record.priority == 1


def test_nobody_writes_through_the_portal_what_they_may_not_write_elsewhere(place):
    record = opened(place, requester=place.nurse)
    auditor = people.create_person(username="auditor", name="Auditor", hospital=place.root)
    people.grant(auditor, "auditor", place.root)
    assert browser_of(auditor).post(f"/portal/{record.pk}/comment/", {"note": "x"}).status_code == 403
    assert browser_of(place.nurse).post(f"/portal/{record.pk}/comment/", {"note": "急"}).status_code == 302
    assert list(Entry.objects.filter(kind="comment").values_list("note", flat=True)) == ["急"]


def test_whom_it_hurts_names_no_ward_of_another_hospital(place):
    other = hospital.build("H2")
    other.ward.name_zh = other.ward.name_en = "Neighbour ward"
    other.ward.save()
    cmdb.add_consumer(place.switch, other.ward)
    record = opened(place, ci=place.switch)
    browser = browser_of(place.engineer)
    for path in (f"/cis/{place.switch.pk}/", f"/incidents/{record.pk}/"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "Neighbour ward" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/workbench/", "/incidents/", "/alarms/", "/cis/", "/portal/"])
def test_a_page_costs_the_same_however_many_rows_it_shows(place, path, django_assert_max_num_queries):
    for _ in range(12):
        opened(place, ci=place.switch, requester=place.chief)
    browser = browser_of(place.chief)
    browser.get(path)
    with django_assert_max_num_queries(16):
        assert browser.get(path).status_code == 200
