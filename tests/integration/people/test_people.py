"""Signing in, locking out, rights by role and place."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.integration import hospital
from wardkeeper.registry.people import queries, services
from wardkeeper.registry.people.models import ApiToken, Person
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import scope_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return hospital.build()


def test_the_first_administrator_is_made_once_with_a_password_that_is_shown_once():
    password = services.ensure_admin()
    assert password is not None
    assert services.authenticate_person("ADMIN", password).username == "admin"
    assert services.ensure_admin() is None


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour_even_for_the_right_one(place):
    now = timezone.now()
    for _ in range(services.FAILURES_BEFORE_LOCK):
        with pytest.raises(services.SignInRefused):
            services.authenticate_person(place.nurse.username, "wrong", at=now)
    with pytest.raises(services.SignInRefused) as refused:
        services.authenticate_person(place.nurse.username, hospital.PASSWORD, at=now)
    assert refused.value.locked_until == now + services.LOCKED_FOR
    later = now + services.LOCKED_FOR + timedelta(seconds=1)
    assert services.authenticate_person(place.nurse.username, hospital.PASSWORD, at=later) == place.nurse


def test_passwords_are_kept_as_argon2():
    person = services.create_person(username="x", name="x", password=hospital.PASSWORD)
    assert person.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize(
    ("password", "reason"), [("short", "short"), ("aaaaaaaaaaaa", "common"), ("li.wei-12345", "name")]
)
def test_a_weak_password_is_refused_with_its_reason(password, reason):
    with pytest.raises(services.WeakPassword) as weak:
        services.create_person(username="li.wei", name="李伟", password=password)
    assert weak.value.reason == reason


def test_a_right_holds_in_its_place_and_below_and_nowhere_else(place):
    other = hospital.build("H2")
    nurse = scope_of(place.nurse)
    assert nurse.may(Right.REPORT, place.ward.path)
    assert not nurse.may(Right.REPORT, place.emergency.path)
    assert not nurse.may(Right.RECORD_VIEW)
    chief = scope_of(place.chief)
    assert chief.may(Right.RECORD_VIEW, place.ward.path)
    assert not chief.may(Right.RECORD_VIEW, other.ward.path)
    assert chief.hospitals(Right.RECORD_VIEW) == (place.root.pk,)


def test_a_right_given_everywhere_holds_in_every_hospital(place):
    services.grant(place.chief, "administrator")
    assert scope_of(place.chief).hospitals(Right.SYSTEM_ADMIN) is None
    assert set(queries.places_of(scope_of(place.chief))) >= {place.root, place.ward, place.clinic}


def test_a_scope_costs_two_statements_whatever_the_number_of_grants(place, django_assert_num_queries):
    for where in (place.ward, place.clinic, place.emergency):
        services.grant(place.engineer, "reporter", where)
    with django_assert_num_queries(2):
        scope_of(place.engineer)


def test_a_token_opens_until_it_expires_or_its_owner_leaves(place):
    token = services.create_token(place.engineer, name="script", days=1)
    assert services.person_of_token(token) == place.engineer
    assert token not in ApiToken.objects.get().digest
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert services.person_of_token(token) is None
    fresh = services.create_token(place.engineer, name="script")
    services.deactivate(place.engineer)
    assert services.person_of_token(fresh) is None
    assert not scope_of(Person.objects.get(pk=place.engineer.pk)).paths
