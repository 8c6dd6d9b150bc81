"""A nurse's phone, an engineer's desk and the record between them."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.stories.house import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LIVE_MS = 30_000


def stays(page):
    """Marks the page, so that a reload would be noticed."""
    page.evaluate("window.wasHere = true")


def stayed(page):
    return page.evaluate("window.wasHere === true")


def test_a_dead_printer_reported_in_three_taps_is_resolved_in_another_window_and_confirmed(house, window):
    # Newest first: other stories have left a thousand incidents that are due sooner.
    desk = window("/incidents/?sort=newest", who="engineer.h1")
    expect(desk.locator("#live")).to_have_attribute("data-state", "on", timeout=LIVE_MS)
    stays(desk)
    phone = window("/portal/", who="reporter.h1", width=390)
    assert phone.locator("html").get_attribute("lang").startswith("zh")
    phone.locator(".wp-tile").filter(has_text=re.compile("打印机")).first.click()
    phone.locator(".wp-face-down").click()
    phone.locator(".wp-report .wp-send").click()
    phone.wait_for_url(re.compile(r"/portal/\d+/"))
    number = phone.locator(".wp-number strong").inner_text()
    record = int(phone.url.rstrip("/").rpartition("/")[2])

    row = desk.locator("#record-rows tr").filter(has_text=number)
    expect(row).to_be_visible(timeout=LIVE_MS)
    assert stayed(desk)
    assert house.get(f"incidents/{record}")["channel"] == "portal"
    until(lambda: house.get(f"incidents/{record}")["team"], what="a team")

    stays(phone)
    expect(phone.locator("#live")).to_have_attribute("data-state", "on", timeout=LIVE_MS)
    row.locator("a").click()
    desk.wait_for_url(f"**/incidents/{record}/")
    desk.locator(".wr-moves .btn-primary").click()
    desk.locator("#dialogs dialog[open] button[type=submit]").click()
    expect(desk.locator("dialog[open]")).to_have_count(0, timeout=LIVE_MS)
    expect(phone.locator(".wp-who")).to_contain_text("Wei Chen", timeout=LIVE_MS)
    desk.locator(".wr-moves [data-key=r]").first.click()
    desk.locator("#dialogs dialog[open] [name=cause]").select_option("hardware")
    desk.locator("#dialogs dialog[open] [name=solution]").fill("更换了硒鼓")
    desk.locator("#dialogs dialog[open] [name=minutes]").fill("15")
    desk.locator("#dialogs dialog[open] [name=no_ci]").check()
    desk.locator("#dialogs dialog[open] button[type=submit]").click()
    expect(desk.locator("dialog[open]")).to_have_count(0, timeout=LIVE_MS)

    again = phone.locator(".wp-again")
    expect(again).to_be_visible(timeout=LIVE_MS)
    assert stayed(phone)
    again.locator("button.btn-primary").click()
    until(lambda: house.get(f"incidents/{record}")["state"] == "closed", what="the record closed")
    assert {"accept", "resolve", "confirm"} <= {
        entry["move"] for entry in house.get(f"incidents/{record}")["entries"]
    }
    assert house.inside("verify") == ""
