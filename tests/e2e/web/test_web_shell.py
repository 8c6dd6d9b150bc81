"""The frame and the parts that all pages are made of, in Chromium."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import barriers, overflow
from tests.integration import hospital

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LOOKS = [("zh-CN", 1440, "light"), ("en-GB", 1440, "dark"), ("zh-CN", 390, "dark"), ("en-GB", 390, "light")]


@pytest.fixture
def place():
    return hospital.build()


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_nothing_keeps_anybody_out_and_nothing_sticks_out(visit, place, language, width, theme):
    look = {"language": language, "width": width, "theme": theme}
    pages = [visit("/login/", **look)]
    pages += [visit(path, person=place.engineer, **look) for path in ("/about/design/", "/me/", "/nothing/")]
    for page in pages:
        assert barriers(page) == [], page.url
        assert overflow(page) <= 0, page.url


def test_signing_in_by_keyboard_alone(visit, place):
    page = visit("/me/", language="en-GB")
    page.keyboard.type(place.engineer.username)
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Check Caps Lock")
    page.keyboard.type(hospital.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/me/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Engineer")


def test_keys_move_select_and_explain_themselves(visit, place):
    page = visit("/about/design/", person=place.engineer, language="en-GB")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("tr.wk-current")).to_have_attribute("data-row", "7")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-bar]")).to_contain_text("2 selected")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Enter")
    assert page.url.endswith("#row-8")


def test_dark_stays_dark_on_the_next_page_and_is_there_at_the_first_paint(visit, place):
    page = visit("/about/design/", person=place.engineer)
    page.locator(".wk-theme summary").click()
    page.locator("[data-theme-set=dark]").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/me/", wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_the_language_changes_where_the_reader_stands(visit, place):
    page = visit("/about/design/", person=place.engineer, language="zh-CN")
    page.get_by_role("button", name="English").click()
    page.wait_for_url("**/about/design/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything that pages are made of")


def test_what_comes_while_the_reader_selects_waits_behind_a_number(visit, place):
    page = visit("/about/design/", person=place.engineer, language="en-GB")
    page.keyboard.press("j")
    page.keyboard.press("x")
    # What the stream would bring; its own way to the page is tested with the running house.
    page.evaluate("""() => {
        for (const id of [1, 2, 2]) {
            document.dispatchEvent(new CustomEvent("wk:heard", { detail: { kind: "record", id } }));
        }
    }""")
    pill = page.locator("[data-show-new]")
    expect(pill).to_have_text("2 new")
    with page.expect_response("**/about/design/rows/"):
        pill.click()
    expect(pill).to_be_hidden()
    expect(page.locator("tr.wk-current")).to_have_attribute("data-row", "7")


def test_an_unreachable_server_is_said_and_typed_words_are_kept(visit, place):
    page = visit("/about/design/", person=place.engineer, language="en-GB")
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()


def test_every_action_on_a_phone_is_large_enough_for_a_thumb(visit, place):
    page = visit("/about/design/", person=place.engineer, width=390)
    small = page.evaluate("""() => [...document.querySelectorAll(".wk-nav a, .wk-top summary, .wk-top button")]
        .filter((each) => each.getClientRects().length)
        .filter((each) => each.getBoundingClientRect().height < 34 || each.getBoundingClientRect().width < 34)
        .map((each) => each.outerHTML.slice(0, 80))""")
    assert small == []
