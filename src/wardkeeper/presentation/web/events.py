"""The event streams: a plain ASGI application on its own port, so that an open page holds no worker.

    GET /events/    text/event-stream of the kinds `record`, `alarm`, `clock` and `lost`

A stream costs a coroutine and a queue. The database is asked when it opens and every few
minutes, because rights change and sessions end.
"""

import asyncio
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings as django_settings
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wardkeeper.settings.django")
django.setup()

from django.contrib.auth import get_user  # noqa: E402 - the models are there only after setup

from wardkeeper.bus import BusAway, connect  # noqa: E402 - the same
from wardkeeper.messages import TOPICS  # noqa: E402 - the same
from wardkeeper.presentation.web.audience import Audiences, Listener  # noqa: E402 - the same
from wardkeeper.presentation.web.middleware import SEEN_AT  # noqa: E402 - the same
from wardkeeper.registry.people.scope import Scope, scope_of  # noqa: E402 - the same
from wardkeeper.settings import current  # noqa: E402 - the same

log = logging.getLogger("wardkeeper.events")

type_scope = MutableMapping[str, Any]
type_receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type_send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH = "/events/"
HEARTBEAT_S = 15.0
TELL_EVERY_S = 0.2
CHECK_EVERY_S = 240.0
MOST_STREAMS = 5000
_PAUSE_S = 2.0
_SHOWN = ("record.", "alarm.", "sla.clock_warned")


def reader_of(session_key: str) -> Scope | None:
    """The rights of whoever is signed in with this session; None if nobody is, or has not clicked for long."""
    close_old_connections()
    try:
        session = import_module(django_settings.SESSION_ENGINE).SessionStore(session_key)
        person = get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]  # it reads .session only
        idle_s = time.time() - float(session.get(SEEN_AT, time.time()))
        if not person.is_authenticated or idle_s >= current().web.idle_minutes * 60:
            return None
        return scope_of(person)
    finally:
        close_old_connections()


def session_key_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Of the session cookie; "" without one."""
    for name, value in headers:
        if name == b"cookie":
            with suppress(CookieError):
                cookie = SimpleCookie(value.decode("latin-1")).get(django_settings.SESSION_COOKIE_NAME)
                if cookie:
                    return cookie.value
    return ""


def is_ours(origin: str, host: str) -> bool:
    """Whether a page of `origin` may read the stream served as `host`: our own pages only."""
    web = current().web
    if not origin or origin in web.origins:
        return True
    page, here = urlsplit(origin), urlsplit(f"//{host}")
    if page.hostname != here.hostname:
        return False
    return page.netloc == here.netloc or str(page.port or 0) == web.listen.rpartition(":")[2]


class Events:
    """The application. One per process; hears the bus from its first stream on."""

    def __init__(self) -> None:
        self.audiences = Audiences()
        # Two threads, two database connections: opening a thousand streams queues instead of flooding.
        self._database = ThreadPoolExecutor(2, thread_name_prefix="events-db")
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: type_scope, receive: type_receive, send: type_send) -> None:
        if scope["type"] != "http":
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin", "")
        if scope["path"] == "/healthz":
            await _answer(send, 200, b"ok")
        elif scope["path"] != PATH or scope["method"] != "GET":
            await _answer(send, 404, b"")
        elif not is_ours(origin, headers.get(b"host", "")):
            await _answer(send, 403, b"")
        elif len(self.audiences) >= MOST_STREAMS:
            await _answer(send, 503, b"")
        else:
            key = session_key_of(scope["headers"])
            rights = await self._reader(key) if key else None
            if rights is None:
                await _answer(send, 401, b"", origin)
            else:
                await self._stream(Listener(rights), key, receive, send, origin=origin)

    async def _reader(self, key: str) -> Scope | None:
        return await asyncio.get_running_loop().run_in_executor(self._database, reader_of, key)

    async def _stream(
        self, listener: Listener, key: str, receive: type_receive, send: type_send, *, origin: str
    ) -> None:
        self._start()
        self.audiences.join(listener)
        leaving = asyncio.create_task(_until_gone(listener, receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _headers(origin)})
            await _write(send, b"retry: 3000\n\n")
            check_at = time.monotonic() + CHECK_EVERY_S * random.uniform(0.7, 1.3)  # noqa: S311 - only spreads load
            while True:
                try:
                    write = await asyncio.wait_for(listener.queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    write = b": still here\n\n"
                if write is None:
                    break
                await _write(send, write)
                if time.monotonic() >= check_at:
                    check_at += CHECK_EVERY_S
                    rights = await self._reader(key)
                    if rights is None:
                        break
                    self.audiences.leave(listener)
                    listener.scope = rights
                    self.audiences.join(listener)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError as error:
            log.debug("events.gone reason=%s", error)
        finally:
            leaving.cancel()
            self.audiences.leave(listener)

    def _start(self) -> None:
        """Begins to hear the bus, in the loop that serves the streams; again should that have ended."""
        if not self._tasks or any(task.done() for task in self._tasks):
            for task in self._tasks:
                task.cancel()
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._tell())]

    async def _listen(self) -> None:
        topics = [kind for topic, kind in TOPICS.items() if topic.startswith(_SHOWN)]
        while True:
            try:
                carrier = await connect(current().bus)
                async for messages in carrier.tail(topics):
                    self.audiences.hear(messages)
            except (BusAway, OSError) as error:
                log.warning("events.bus_away reason=%s", error)
                await asyncio.sleep(_PAUSE_S)
                self.audiences.hear([])

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            self.audiences.tell()


async def _until_gone(listener: Listener, receive: type_receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.offer(None)


async def _write(send: type_send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _headers(origin: str) -> list[tuple[bytes, bytes]]:
    found = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
        (b"vary", b"Origin"),
    ]
    if origin:
        found.append((b"access-control-allow-origin", origin.encode("latin-1")))
        found.append((b"access-control-allow-credentials", b"true"))
    return found


async def _answer(send: type_send, status: int, body: bytes, origin: str = "") -> None:
    headers = [(b"content-type", b"text/plain"), *_headers(origin)[1:]]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


application = Events()
