"""The event stream with real PostgreSQL and NATS: who may open it, and what it brings."""

import asyncio
import json
from dataclasses import replace

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from tests.integration import hospital
from wardkeeper.bus import connect
from wardkeeper.messages import RecordMoved
from wardkeeper.presentation.web import events
from wardkeeper.settings import current
from wardkeeper.settings.schema import Bus

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE_S = 15


class Browser:
    """Speaks ASGI to the application as granian does."""

    def __init__(self, application, *, session="", origin="http://localhost:8000", path="/events/"):
        self.application = application
        headers = [(b"host", b"localhost:8001"), (b"cookie", f"sessionid={session}".encode())]
        if origin:
            headers.append((b"origin", origin.encode()))
        self.scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
        self.gone = asyncio.Event()
        self.status = 0
        self.headers = {}
        self.body = b""
        self.news = asyncio.Event()

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        self.body += message.get("body", b"")
        self.news.set()

    async def run(self):
        await self.application(self.scope, self.receive, self.send)

    async def hears(self, words):
        async with asyncio.timeout(DEADLINE_S):
            while words not in self.body:
                self.news.clear()
                await self.news.wait()


def moved(record, place):
    return RecordMoved(
        record=record, number=f"N-{record}", kind="incident", version=2, hospital=place.root.pk,
        place_path=place.ward.path, state="accepted", priority=2, before="new", move="accept", actor=None,
    )  # fmt: skip


def session_of(person):
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client.session.session_key


@pytest.fixture
def bus(nats_url):
    return Bus(url=nats_url, prefix="test-events")


@pytest.fixture
def application(monkeypatch, bus):
    # Its threads outlive the test; their connections must not.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    monkeypatch.setattr(events, "current", lambda: replace(current(), bus=bus))
    return events.Events()


@pytest.mark.parametrize(
    ("session", "origin", "path", "status"),
    [
        ("", "http://localhost:8000", "/events/", 401),
        ("no-such-session", "http://localhost:8000", "/events/", 401),
        ("no-such-session", "http://evil.example", "/events/", 403),
        ("no-such-session", "http://localhost:9999", "/events/", 403),
        ("", "", "/other/", 404),
        ("", "", "/healthz", 200),
    ],
)
async def test_only_our_own_pages_and_signed_in_readers_are_served(
    application, session, origin, path, status
):
    browser = Browser(application, session=session, origin=origin, path=path)
    await browser.run()
    assert browser.status == status


def test_a_record_is_heard_of_at_its_hospital_and_not_at_the_other(application, bus):
    here, there = hospital.build("H1"), hospital.build("H2")
    sessions = {name: session_of(place.engineer) for name, place in (("here", here), ("there", there))}

    async def story():
        browsers = {name: Browser(application, session=key) for name, key in sessions.items()}
        running = [asyncio.create_task(browser.run()) for browser in browsers.values()]
        for browser in browsers.values():
            await browser.hears(b"retry:")
        assert browsers["here"].headers[b"access-control-allow-origin"] == b"http://localhost:8000"
        assert browsers["here"].headers[b"access-control-allow-credentials"] == b"true"
        carrier = await connect(bus)
        async with asyncio.timeout(DEADLINE_S):
            while b"event: record" not in browsers["here"].body:
                await carrier.publish([moved(7, here), moved(8, there)])
                await asyncio.sleep(0.05)
        await browsers["there"].hears(b'"id": 8')
        await carrier.close()
        for browser in browsers.values():
            browser.gone.set()
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*running)
        return browsers

    browsers = asyncio.run(story())
    assert b'"id": 8' not in browsers["here"].body
    assert b'"id": 7' not in browsers["there"].body
    frame = browsers["here"].body.split(b"data: ")[1].split(b"\n")[0]
    assert json.loads(frame) == {"id": 7, "number": "N-7", "what": "moved"}
    assert len(application.audiences) == 0


def test_a_stream_ends_when_its_session_has_ended(application, monkeypatch):
    place = hospital.build("H1")
    key = session_of(place.engineer)
    monkeypatch.setattr(events, "CHECK_EVERY_S", 0.0)
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.05)

    async def story():
        browser = Browser(application, session=key)
        running = asyncio.create_task(browser.run())
        await browser.hears(b"still here")
        await asyncio.to_thread(_end, key)
        async with asyncio.timeout(DEADLINE_S):
            await running

    asyncio.run(story())


def _end(key):
    Session.objects.filter(session_key=key).delete()
    connection.close()
