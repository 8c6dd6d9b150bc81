"""The house that all stories share, and windows into it."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests import engines
from tests.e2e.stories.house import House, running
from tests.e2e.stories.inside import PASSWORD


@pytest.fixture(scope="session")
def house(free_port: Callable[[], int]) -> Iterator[House]:
    """`wardkeeper up` with two hospitals; stopped at the end."""
    with engines.folder() as folder, running(folder, free_port) as started:
        yield started


@pytest.fixture
def window(chromium: Browser, house: House) -> Iterator[Callable[..., Page]]:
    """Opens a page of the house in a browser of its own, signed in by the form as `who` ("" for nobody).

    Afterwards no page may have had a script error, broken the Content-Security-Policy or asked another host.
    """
    contexts, troubles = [], []

    def note(said):
        if said.type == "error" and "Failed to load resource" not in said.text:
            troubles.append(said.text)

    def leaves(request):
        address = urlsplit(request.url)
        if address.scheme.startswith("http") and address.hostname != "127.0.0.1":
            troubles.append(f"asks {request.url}")

    def open_window(path, *, who="", password=PASSWORD, language="zh-CN", width=1440, theme="light") -> Page:
        context = chromium.new_context(
            base_url=house.url,
            locale=language,
            color_scheme=theme,
            viewport={"width": width, "height": 844 if width < 500 else 900},
        )
        contexts.append(context)
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", note)
        page.on("request", leaves)
        if who:
            page.goto("/login/")
            page.locator("[name=username]").fill(who)
            page.locator("[name=password]").fill(password)
            page.locator("form.wk-sign-in button").click()
            page.wait_for_url(lambda url: "/login/" not in url)
        page.goto(path)
        return page

    yield open_window
    import os

    for number, context in enumerate(contexts):
        if os.environ.get("SHOTS"):
            for page in context.pages:
                page.screenshot(path=f"{os.environ['SHOTS']}-{number}.png")
        context.close()
    assert troubles == []
