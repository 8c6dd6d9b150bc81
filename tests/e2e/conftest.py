"""A real browser on a real server: Debian's Chromium, and Django with its pages and static files."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

# Playwright's synchronous interface runs an event loop in this thread, and Django would refuse its database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("needs chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, live_server) -> Iterator[Callable[..., Page]]:
    """Opens a page as `person` would see it.

    Afterwards no page may have had a script error, broken the Content-Security-Policy or asked another host.
    """
    contexts, troubles = [], []

    def open_page(path, *, person=None, language="zh-CN", width=1440, theme="light") -> Page:
        height = 844 if width < 500 else 900
        context = chromium.new_context(
            base_url=live_server.url,
            locale=language,
            color_scheme=theme,
            viewport={"width": width, "height": height},
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"{path}: {error}"))
        page.on("console", lambda said: note(path, said))
        page.on("request", lambda request: leaves(path, request.url))
        if person is not None:
            client = Client()
            client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
            key = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}]
            )
        page.goto(path)
        return page

    def note(path, said):
        if said.type == "error" and "Failed to load resource" not in said.text:
            troubles.append(f"{path}: {said.text}")

    def leaves(path, url):
        if (
            urlsplit(url).scheme.startswith("http")
            and urlsplit(url).hostname != urlsplit(live_server.url).hostname
        ):
            troubles.append(f"{path}: asks {url}")

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def barriers(page: Page) -> list[str]:
    """What keeps people out, by axe-core: serious and critical findings of WCAG 2.2 AA."""
    if not AXE.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("axe-core is missing: npm ci")
    # evaluate() runs outside the page's Content-Security-Policy, a script element would not.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(RULES)}}}).then(r => r.violations)")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
