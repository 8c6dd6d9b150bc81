"""Coming, staying and going; and what a page says when it cannot be shown."""

import re
import time

import pytest
from django.conf import settings
from django.test import Client

from tests.integration import hospital
from wardkeeper.presentation.web.middleware import SEEN_AT
from wardkeeper.presentation.web.views import errors
from wardkeeper.registry.people import queries as people
from wardkeeper.settings import current

pytestmark = pytest.mark.django_db

ENGLISH = {"HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9"}


@pytest.fixture
def place():
    return hospital.build()


@pytest.fixture
def browser():
    return Client(raise_request_exception=False, **ENGLISH)


def sign_in(browser, person, password=hospital.PASSWORD, **data):
    return browser.post("/login/", {"username": person.username, "password": password, **data})


def enter(browser, person):
    """Signed in, without the tenth of a second that checking a password takes."""
    browser.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])


def test_a_stranger_is_sent_to_sign_in_and_back(browser, place):
    answer = browser.get("/me/?a=1")
    assert answer.status_code == 302
    assert answer["Location"] == "/login/?next=/me/%3Fa%3D1"
    assert sign_in(browser, place.engineer, next="/me/?a=1")["Location"] == "/me/?a=1"
    assert browser.get("/me/").status_code == 200


def test_nobody_is_sent_to_another_site(browser, place):
    assert sign_in(browser, place.engineer, next="https://evil.example/")["Location"] == "/"


def test_a_wrong_password_says_what_to_do_and_keeps_the_name(browser, place):
    answer = sign_in(browser, place.engineer, password="wrong")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Check Caps Lock" in page
    assert f'value="{place.engineer.username}"' in page


def test_after_five_wrong_passwords_the_page_says_until_when(browser, place):
    for _ in range(5):
        answer = sign_in(browser, place.engineer, password="wrong")
    assert re.search(r"try again at \d\d:\d\d", answer.content.decode())
    assert sign_in(browser, place.engineer).status_code == 422


def test_a_fragment_of_a_signed_out_page_takes_the_whole_page_along(browser, place):
    answer = browser.get(
        "/about/design/rows/",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/about/design/"},
    )
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/login/?next=%2Fabout%2Fdesign%2F"


def test_who_has_not_clicked_for_long_is_signed_out(browser, place):
    enter(browser, place.engineer)
    browser.get("/me/")
    session = browser.session
    session[SEEN_AT] = int(time.time()) - current().web.idle_minutes * 60
    session.save()
    assert browser.get("/me/")["Location"].startswith("/login/")


def test_a_page_that_refreshes_itself_is_no_click(browser, place):
    enter(browser, place.engineer)
    browser.get("/me/")
    session = browser.session
    before = session[SEEN_AT] = int(time.time()) - 600
    session.save()
    browser.get("/about/design/rows/", headers={"HX-Request": "true", "WK-Background": "true"})
    assert browser.session[SEEN_AT] == before
    browser.get("/about/design/rows/", headers={"HX-Request": "true"})
    assert browser.session[SEEN_AT] > before


def test_sessions_are_listed_and_another_one_can_be_ended(browser, place):
    other = Client(**ENGLISH)
    for each in (browser, other):
        enter(each, place.engineer)
        each.get("/me/")
    page = browser.get("/me/").content.decode()
    assert page.count("Sign out there") == 1
    theirs = people.sessions_of(place.engineer).exclude(session_key=browser.session.session_key).get()
    assert browser.post(f"/me/sessions/{theirs.pk}/end/").status_code == 302
    assert other.get("/me/")["Location"].startswith("/login/")
    assert browser.get("/me/").status_code == 200


def test_nobody_ends_somebody_elses_session(browser, place):
    enter(browser, place.engineer)
    browser.get("/me/")
    other = Client(**ENGLISH)
    enter(other, place.nurse)
    mine = people.sessions_of(place.engineer).get()
    assert other.post(f"/me/sessions/{mine.pk}/end/").status_code == 404
    assert browser.get("/me/").status_code == 200


def test_signing_out_takes_the_session_from_the_list(browser, place):
    enter(browser, place.engineer)
    browser.get("/me/")
    browser.post("/logout/")
    assert not people.sessions_of(place.engineer).exists()
    assert browser.get("/me/").status_code == 302


def test_a_new_password_keeps_this_browser_and_ends_the_others(browser, place):
    other = Client(**ENGLISH)
    for each in (browser, other):
        enter(each, place.engineer)
        each.get("/me/")
    fresh = {"old": hospital.PASSWORD, "new": "Green-Ferry-77", "again": "Green-Ferry-77"}
    answer = browser.post("/me/password/", fresh, follow=True)
    assert "Password changed" in answer.content.decode()
    assert other.get("/me/").status_code == 302
    assert people.sessions_of(place.engineer).get().session_key == browser.session.session_key


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("wrong", "Green-Ferry-77", "Green-Ferry-77"), "present password is not right"),
        ((hospital.PASSWORD, "Green-Ferry-77", "Green-Ferry-78"), "differ"),
        ((hospital.PASSWORD, "short", "short"), "at least 10"),
        ((hospital.PASSWORD, "password123", "password123"), "stolen passwords"),
    ],
)
def test_a_password_that_cannot_be_taken_says_why(browser, place, typed, said):
    enter(browser, place.engineer)
    answer = browser.post("/me/password/", dict(zip(("old", "new", "again"), typed, strict=True)))
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_the_persons_language_goes_before_the_browsers(browser, place):
    assert "User name" in browser.get("/login/").content.decode()
    enter(browser, place.engineer)
    browser.post("/language/", {"language": "zh-hans", "next": "/me/"})
    answer = browser.get("/me/")
    assert answer["Content-Language"] == "zh-hans"
    assert "退出登录" in answer.content.decode()
    fresh = Client(**ENGLISH)
    enter(fresh, place.engineer)
    assert "退出登录" in fresh.get("/me/").content.decode()


def test_a_stranger_chooses_a_language_for_this_browser(browser):
    browser.post("/language/", {"language": "zh-hans", "next": "/login/"})
    assert "用户名" in browser.get("/login/").content.decode()


def test_nothing_inline_and_nothing_from_elsewhere_may_run(browser, place):
    enter(browser, place.engineer)
    for path in ("/login/", "/me/", "/about/design/", "/nothing/"):
        answer = browser.get(path)
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy
        page = answer.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"\sstyle=|\son\w+=|javascript:", page), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page), path


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_page_that_is_not_there_says_so_with_a_number(browser, place, language):
    browser.cookies["django_language"] = language
    strange = browser.get("/nothing/")
    enter(browser, place.engineer)
    for answer in (strange, browser.get("/nothing/")):
        assert answer.status_code == 404
        page = answer.content.decode()
        assert re.search(r'class="wk-number">[2-9A-HJ-NP-Z]{3}-[2-9A-HJ-NP-Z]{3}<', page)
        assert ("There is nothing here" if language == "en" else "这里没有内容") in page


def test_a_failure_is_logged_under_the_number_that_the_page_shows(browser, place, monkeypatch, caplog):
    enter(browser, place.engineer)

    def broken(*_args, **_kwargs):
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("wardkeeper.presentation.web.views.design._rows", broken)
    answer = browser.get("/about/design/")
    assert answer.status_code == 500
    page = answer.content.decode()
    number = re.search(r'class="wk-number">([^<]+)<', page).group(1)
    assert f"number={number}" in caplog.text
    assert "the disk is gone" not in page
    part = browser.get("/about/design/rows/", headers={"HX-Request": "true"})
    assert part["WK-Fragment"] == "toast"
    assert "<html" not in part.content.decode()


def test_a_form_without_its_token_says_that_it_is_out_of_date(place):
    strict = Client(enforce_csrf_checks=True, **ENGLISH)
    answer = strict.post("/login/", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "This form is out of date" in answer.content.decode()


def test_a_failure_page_needs_no_database(browser, monkeypatch, rf):
    request = rf.get("/")
    answer = errors.failed(request)
    assert answer.status_code == 500
    assert b"wk-number" in answer.content
