"""Publishes in bundles, one entry at a time per lane; hands out readers; measures and trims the logs."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from typing import Any, Self
from urllib.parse import urlsplit

from nats.aio.msg import Msg
from nats.errors import MaxPayloadError

from wardkeeper.bus import bundle
from wardkeeper.bus.codec import Undecodable, seal, unseal
from wardkeeper.bus.consumer import Consumer, log_only
from wardkeeper.bus.contract import USUAL_RETRY, Batch, BusAway, Envelope, Lag, MessageTooLarge, Park, Retry
from wardkeeper.bus.nats.link import TROUBLE, Link
from wardkeeper.bus.nats.reader import NatsReader
from wardkeeper.messages import Message
from wardkeeper.settings.schema import Bus

_log = logging.getLogger(__name__)

AWAY_AFTER_S = 10.0
"""`publish` gives up after this; a leader change in a cluster takes up to 6 s (measured)."""

_PAUSE_S = 0.2

_TAIL_BUNDLES = 2000
"""A tail that is further behind than this has missed something and says so."""


def _name(envelopes: Sequence[Envelope]) -> str:
    """The same for the same messages, so that storing a bundle twice is noticed."""
    if len(envelopes) == 1:
        return envelopes[0].id
    return blake2b("".join(each.id for each in envelopes).encode(), digest_size=16).hexdigest()


def _by_family(topics: Sequence[type[Message]]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted({topic.TOPIC for topic in topics}):
        found[bundle.family_of(name)].append(name)
    return found


class NatsCarrier:
    """See `contract.Carrier`."""

    def __init__(self, link: Link, *, away_after_s: float) -> None:
        self._link = link
        self._away_after_s = away_after_s
        self._lanes: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._stored_at: defaultdict[tuple[str, int], float] = defaultdict(float)

    @classmethod
    async def connect(cls, settings: Bus, *, away_after_s: float = AWAY_AFTER_S) -> Self:
        """Raises BusAway if no server answers within `away_after_s`."""
        link = Link(settings)
        connecting = asyncio.create_task(link.connect(settings.url))
        await asyncio.wait([connecting], timeout=away_after_s)
        if not connecting.done() or connecting.exception():
            reason = repr(connecting.exception()) if connecting.done() else f"no answer in {away_after_s:g} s"
            connecting.cancel()
            with suppress(asyncio.CancelledError, *TROUBLE):
                await connecting
            raise BusAway(f"no NATS at {urlsplit(settings.url).hostname}: {reason}")
        return cls(link, away_after_s=away_after_s)

    async def publish(self, messages: Sequence[Message | Envelope]) -> None:
        sealed = [each if isinstance(each, Envelope) else seal(each) for each in messages]
        begun_at = time.monotonic()
        lanes = bundle.lanes(sealed)
        results = await asyncio.gather(
            *(self._publish_lane(lane, bundles, begun_at) for lane, bundles in lanes.items()),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _publish_lane(
        self, lane: tuple[str, int], bundles: list[list[Envelope]], begun_at: float
    ) -> None:
        """One entry at a time: should it fail, none behind it may be stored before its retry."""
        family, partition = lane
        async with self._lanes[lane]:
            for envelopes in bundles:
                topic = envelopes[0].topic
                subject = f"{self._link.prefix}.{family}.{topic}.{partition}"
                raw = bundle.pack(topic, envelopes)

                async def attempt(
                    subject: str = subject, raw: bytes = raw, name: str = _name(envelopes)
                ) -> None:
                    await self._link.ensure_stream(family)
                    # JetStream drops a second entry of this name for two minutes: a lost answer costs nothing.
                    await self._link.jetstream.publish(subject, raw, headers={"Nats-Msg-Id": name})

                # A queue before a bus that works is no outage: the bound counts from the lane's last success.
                until = max(begun_at, self._stored_at[lane]) + self._away_after_s
                await self._until_done(attempt, f"{subject}, {len(raw)} bytes", until)
                self._stored_at[lane] = time.monotonic()

    async def _until_done(
        self, attempt: Callable[[], Coroutine[Any, Any, None]], what: str, until: float
    ) -> None:
        trouble = "the one before it in its lane was not stored either"
        while (left_s := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    return await self._link.call(attempt)
            except MaxPayloadError as error:
                raise MessageTooLarge(f"{what}: more than the server takes") from error
            except TROUBLE as error:
                trouble = str(error) or repr(error)
                self._link.forget_streams()
                await asyncio.sleep(min(_PAUSE_S, left_s))
        raise BusAway(f"{what}: not stored within {self._away_after_s:g} s: {trouble}")

    def consume(
        self,
        group: str,
        topics: Sequence[type[Message]],
        *,
        batch: int = 200,
        retry: Retry = USUAL_RETRY,
        park: Park | None = None,
        stop: asyncio.Event | None = None,
    ) -> AsyncIterator[Batch]:
        readers = [NatsReader(self._link, group, *each) for each in _by_family(topics).items()]
        return Consumer(group, readers, batch, retry, park or log_only, stop or asyncio.Event()).batches()

    async def tail(self, topics: Sequence[type[Message]]) -> AsyncIterator[Sequence[Message]]:
        """An ordinary subscription beside the stream: the server keeps nothing for it."""
        arrived: asyncio.Queue[bytes | None] = asyncio.Queue(_TAIL_BUNDLES)

        def missed() -> None:
            while not arrived.empty():
                arrived.get_nowait()
            arrived.put_nowait(None)

        async def hear(message: Msg) -> None:
            try:
                arrived.put_nowait(message.data)
            except asyncio.QueueFull:
                missed()

        subjects = [
            f"{self._link.prefix}.{family}.{topic}.*"
            for family, names in _by_family(topics).items()
            for topic in names
        ]
        await self._link.connected.wait()
        inboxes = [await self._link.client.subscribe(subject, cb=hear) for subject in subjects]
        self._link.on_loss.add(missed)
        try:
            while True:
                raw = await arrived.get()
                try:
                    heard = [] if raw is None else [unseal(each) for each in bundle.unpack(raw)]
                except (bundle.BrokenBundle, Undecodable) as error:
                    _log.warning("bus.tail_skips error=%s", error)
                else:
                    yield heard
        finally:
            self._link.on_loss.discard(missed)
            for inbox in inboxes:
                with suppress(*TROUBLE):
                    await inbox.unsubscribe()

    async def lag(self, group: str, topics: Sequence[type[Message]]) -> Lag:
        """Raises BusAway."""
        bundles = 0
        oldest = now = datetime.now(UTC)
        try:
            async with asyncio.timeout(self._away_after_s):
                for family, names in _by_family(topics).items():
                    reader = NatsReader(self._link, group, family, names)
                    bundles += await self._link.call(reader.pending)
                    stamps = await self._link.call(reader.next_stored_at)
                    oldest = min(oldest, *stamps) if stamps else oldest
        except TROUBLE as error:
            raise BusAway(f"{group}: cannot ask for its lag: {error!r}") from error
        return Lag(bundles, (now - oldest).total_seconds())

    async def trim(self, groups: Sequence[tuple[str, Sequence[type[Message]]]]) -> None:
        """Only streams that are more than half full, so that the recent past stays for inspection."""
        readers: defaultdict[str, list[NatsReader]] = defaultdict(list)
        for group, topics in groups:
            for family, names in _by_family(topics).items():
                readers[family].append(NatsReader(self._link, group, family, names))
        try:
            for family, of_family in readers.items():
                await self._link.call(partial(self._trim, family, of_family))
        except TROUBLE as error:
            raise BusAway(f"cannot trim: {error!r}") from error

    async def _trim(self, family: str, readers: Sequence["NatsReader"]) -> None:
        name = await self._link.ensure_stream(family)
        info = await self._link.jetstream.stream_info(name)
        if info.state.bytes * 2 < (info.config.max_bytes or 0):
            return
        # A group for which nothing waits is done with everything up to the end that we saw before asking.
        floors = [
            await reader.position() if await reader.pending() else info.state.last_seq for reader in readers
        ]
        if floors and min(floors) >= info.state.first_seq:
            await self._link.jetstream.purge_stream(name, seq=min(floors) + 1)
            _log.info("bus.trimmed stream=%s up_to=%d", name, min(floors))

    async def close(self) -> None:
        with suppress(*TROUBLE):
            await self._link.client.close()
