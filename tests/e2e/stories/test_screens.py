"""Every page of the running house: reachable for everybody, said in the reader's language, light."""

import gettext
import re
import statistics
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import barriers, overflow
from tests.e2e.stories.house import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

LOOKS = [("zh-CN", 1440, "light"), ("en-GB", 1440, "dark"), ("zh-CN", 390, "dark"), ("en-GB", 390, "light")]
CATALOGUE = Path(__file__).parents[3] / "src/wardkeeper/locale/zh_Hans/LC_MESSAGES/django.mo"
MOST_MS = 300
FIRST_LOAD_BYTES = 600_000
VISIBLE = """() => {
    const seen = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        const owner = walker.currentNode.parentElement;
        if (text && !owner.closest("script, style, template, [lang]:not(html)")) seen.push(text);
    }
    for (const each of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
        for (const name of ["aria-label", "title", "placeholder"]) {
            const said = each.getAttribute(name);
            if (said && !each.closest("template, [lang]:not(html)")) seen.push(said);
        }
    }
    return seen;
}"""


@pytest.fixture(scope="module")
def addresses(house):
    """Every page there is something to see on: name -> address. The CI is this machine, which watches itself."""
    found = until(
        lambda: [each for each in house.all("cis") if each["code"] == "WARDKEEPER"],
        what="this machine as a CI",
    )
    (machine,) = found
    house.trap(address="127.0.0.1", port=3)

    def known():
        return [each for each in house.all("alarms", ci=machine["id"], state="all") if each["incident"]]

    alarm = until(known, what="an alarm with its incident")[0]

    def sampled():
        return house.get("samples", ci=machine["id"], metric="host.cpu_share")["items"]

    until(sampled, within_s=60, what="samples of this machine")
    incident = alarm["incident"]["id"]
    return {
        "workbench": "/workbench/",
        "incidents": "/incidents/",
        "incident": f"/incidents/{incident}/",
        "alarms": "/alarms/",
        "alarm": f"/alarms/{alarm['id']}/",
        "cis": "/cis/",
        "ci": f"/cis/{machine['id']}/",
        "add": "/cis/add/",
        "portal": "/portal/",
        "portal record": f"/portal/{incident}/",
        "profile": "/me/",
        "search": "/search/?q=GE0",
    }


def foreign_words(language):
    """Texts that a reader of `language` must not meet: what the catalogue says in the other one."""
    with CATALOGUE.open("rb") as file:
        known = gettext.GNUTranslations(file)._catalog
    pairs = [
        (msgid, msgstr)
        for msgid, msgstr in known.items()
        if isinstance(msgid, str) and isinstance(msgstr, str) and msgid and msgid != msgstr
    ]
    words = {pair[0] if language.startswith("zh") else pair[1] for pair in pairs}
    return {each for each in words if "%(" not in each and len(each) > 1}


@pytest.mark.parametrize(("language", "width", "theme"), LOOKS)
def test_no_page_keeps_anybody_out_sticks_out_or_speaks_the_other_language(
    house, window, addresses, language, width, theme
):
    page = window("/me/", who="admin", password=house.password, language=language, width=width, theme=theme)
    unwanted = foreign_words(language)
    found = []
    for name, path in addresses.items():
        answer = page.goto(path)
        assert answer.status == 200, path
        page.wait_for_load_state("load")
        if overflow(page) > 0:
            found.append(f"{name}: {overflow(page)} px too wide")
        # What lies under a bar that sticks to the edge comes out by scrolling: axe gets a window that needs none.
        page.set_viewport_size({"width": width, "height": 3000})
        found += [f"{name}: {each}" for each in barriers(page)]
        page.set_viewport_size({"width": width, "height": 844})
        found += [f"{name}: says {text!r}" for text in page.evaluate(VISIBLE) if text in unwanted]
    assert found == []


def test_every_page_comes_in_well_under_a_third_of_a_second(house, addresses, record_property):
    medians = {}
    with closing(house.signed_in("admin", house.password)) as client:
        for name, path in addresses.items():
            client.get(path)
            times = []
            for _ in range(20):
                began = time.perf_counter()
                answer = client.get(path)
                times.append((time.perf_counter() - began) * 1000)
                assert answer.status_code == 200
            medians[name] = round(statistics.median(times), 1)
    record_property("page_ms", str(medians))
    # 150 ms is what is wanted of two idle cores; tests share theirs.
    assert max(medians.values()) < MOST_MS, medians


@pytest.mark.parametrize("name", ["workbench", "ci"])
def test_the_first_load_of_a_page_is_under_600_kilobytes(house, window, addresses, name, record_property):
    signed_in = window("/me/", who="admin", password=house.password)
    page = window("about:blank")  # with nothing in its cache
    page.context.add_cookies(signed_in.context.cookies())
    loaded = []
    page.context.on("requestfinished", lambda request: loaded.append(request))  # noqa: PLW0108 - it marks what it is given
    page.goto(addresses[name], wait_until="load")
    if name == "ci":
        page.locator("[data-chart] canvas, [data-chart] svg").first.wait_for()
    wanted = page.evaluate("performance.getEntriesByType('resource').length")  # the page itself comes on top
    until(lambda: page.wait_for_timeout(50) or len(loaded) > wanted, what="all answers")
    sizes = [request.sizes() for request in loaded]
    total = sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)
    record_property("first_load_bytes", total)
    assert 10_000 < total < FIRST_LOAD_BYTES, f"{total} bytes of {len(sizes)} answers"


def test_no_page_shows_a_placeholder_that_nobody_filled(house, addresses):
    with closing(house.signed_in("admin", house.password)) as client:
        for name, path in addresses.items():
            text = client.get(path).text
            assert not re.search(r"%\(\w+\)s|\{\{|\bNone\b|undefined", text), name
