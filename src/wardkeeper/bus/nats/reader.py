"""One group's view of one stream: gap-free and in order, whatever happens to server and connection."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Inbox
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.errors import APIError, NotFoundError

from wardkeeper.bus.bundle import BrokenBundle, unpack
from wardkeeper.bus.contract import Bundle, Envelope, GroupTaken
from wardkeeper.bus.nats.link import TROUBLE, Link
from wardkeeper.messages import new_id

_log = logging.getLogger(__name__)

_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

_WRONG_LAST_SEQUENCE = (10071, 10164)
"""Source: nats-server, server/errors.json."""

_PULL_BUNDLES = 256
_PULL = json.dumps(
    {
        "batch": _PULL_BUNDLES,
        "max_bytes": 8 << 20,
        "expires": 60_000_000_000,
        "idle_heartbeat": 15_000_000_000,
    }
).encode()
_SILENT_AFTER_S = 35.0
"""Two heartbeats and a bit: the consumer is gone, or the connection is dead."""

_REAPED_AFTER_S = 300.0


class _Reopen(OSError):
    """The consumer is gone or has left a gap."""


class NatsReader:
    """See `contract.Reader`."""

    def __init__(self, link: Link, group: str, family: str, topics: Sequence[str]) -> None:
        self.family = family
        self._link = link
        self._group = group
        self._topics = topics
        self._session = new_id()
        self._revision = 0
        self._last: int | None = None
        self._inbox: Inbox | None = None
        self._consumer = ""
        self._expected = 1
        self._arrived: deque[Msg] = deque()
        self._news = asyncio.Event()
        self._asked = 0
        self._is_broken = False

    async def fetch(self) -> Sequence[Bundle]:
        self._link.on_loss.add(self._lost)
        pause_s = _PAUSE_S
        while True:
            try:
                if self._inbox is None:
                    await self._link.call(self._open)
                if found := await self._pull():
                    return found
                pause_s = _PAUSE_S
            except TROUBLE as error:
                _log.info("bus.reader_reopens group=%s family=%s reason=%r", self._group, self.family, error)
                await self._drop()
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def commit(self, position: int) -> None:
        pause_s = _PAUSE_S
        while True:
            try:
                return await self._link.call(lambda: self._commit(position))
            except TROUBLE as error:
                _log.info("bus.commit_waits group=%s reason=%r", self._group, error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def close(self) -> None:
        self._link.on_loss.discard(self._lost)
        await self._drop()

    async def position(self) -> int:
        """Where the group stands, 0 at the beginning."""
        return (await self._stored())[0]

    async def pending(self) -> int:
        """Entries of its topics behind its position."""
        stream = await self._link.ensure_stream(self.family)
        info = await self._add_consumer(stream, await self.position())
        with suppress(NotFoundError):
            await self._link.jetstream.delete_consumer(stream, info.name)
        return int(info.num_pending or 0)

    async def next_stored_at(self) -> list[datetime]:
        """When the oldest waiting entry of each topic and partition was stored."""
        stream = await self._link.ensure_stream(self.family)
        after = await self.position() + 1
        found = []
        for subject in self._subjects():
            with suppress(NotFoundError):
                message = await self._link.jetstream.get_msg(stream, seq=after, subject=subject, next=True)
                if message.time is not None:
                    found.append(message.time)
        return found

    def _subjects(self) -> list[str]:
        return [f"{self._link.prefix}.{self.family}.{topic}.*" for topic in self._topics]

    async def _stored(self) -> tuple[int, int, str]:
        """Position, its revision in the positions' stream, and who wrote it."""
        stream = await self._link.ensure_stream("positions")
        with suppress(NotFoundError):
            found = await self._link.jetstream.get_last_msg(stream, self._position_subject)
            value = json.loads(found.data or b"{}")
            return int(value["position"]), int(found.seq or 0), str(value["session"])
        return 0, 0, ""

    @property
    def _position_subject(self) -> str:
        return f"{self._link.prefix}.positions.{self.family}.{self._group}"

    async def _commit(self, position: int) -> None:
        value = json.dumps({"position": position, "session": self._session}).encode()
        headers = {"Nats-Expected-Last-Subject-Sequence": str(self._revision)}
        try:
            stored = await self._link.jetstream.publish(self._position_subject, value, headers=headers)
        except APIError as error:
            if error.err_code not in _WRONG_LAST_SEQUENCE:
                raise
            # Either an answer was lost, and what is stored is ours; or another consumer reads for the group.
            _, self._revision, session = await self._stored()
            if session != self._session:
                raise GroupTaken(f"{self._group}: another consumer has taken over") from error
            await self._commit(position)
        else:
            self._revision = stored.seq

    async def _open(self) -> None:
        """Makes a consumer behind the last entry seen, at first behind the stored position."""
        stream = await self._link.ensure_stream(self.family)
        if self._last is None:
            self._last, self._revision, _ = await self._stored()
            await self._commit(self._last)  # takes the group over: an earlier reader's next commit fails
        info = await self._link.jetstream.stream_info(stream)
        if self._last > info.state.last_seq:
            # The stream was made anew, or the server lost its end: its numbers begin again.
            _log.error("bus.stream_shorter stream=%s position=%d", stream, self._last)
            self._last = 0
        self._consumer = (await self._add_consumer(stream, self._last)).name
        self._expected = 1
        arrived = self._arrived = (
            deque()
        )  # its own: an earlier inbox may still be delivering into the old one
        self._asked = 0
        self._is_broken = False

        async def hear(message: Msg) -> None:
            arrived.append(message)
            self._news.set()

        self._inbox = await self._link.client.subscribe(self._link.client.new_inbox(), cb=hear)

    async def _add_consumer(self, stream: str, after: int) -> ConsumerInfo:
        return await self._link.jetstream.add_consumer(
            stream,
            ConsumerConfig(
                name=f"{self._group}-{new_id()}".replace(".", "-"),
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=after + 1,
                ack_policy=AckPolicy.NONE,
                filter_subjects=self._subjects(),
                inactive_threshold=_REAPED_AFTER_S,
                mem_storage=True,
                num_replicas=1,
            ),
        )

    async def _drop(self) -> None:
        inbox, self._inbox = self._inbox, None
        with suppress(*TROUBLE):
            if inbox is not None and self._link.connected.is_set():
                await inbox.unsubscribe()
                await self._link.jetstream.delete_consumer(
                    f"{self._link.prefix}-{self.family}", self._consumer
                )

    def _lost(self) -> None:
        """After a reconnect the server has forgotten our question; what it sent meanwhile is lost."""
        self._is_broken = True
        self._news.set()

    async def _pull(self) -> list[Bundle]:
        """What has come; asks for more if nothing is under way. Raises _Reopen, TimeoutError."""
        if not self._arrived:
            if self._asked <= 0 and self._inbox is not None:
                self._asked = _PULL_BUNDLES
                subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._link.prefix}-{self.family}.{self._consumer}"
                await self._link.client.publish(subject, _PULL, reply=self._inbox.subject)
            async with asyncio.timeout(_SILENT_AFTER_S):
                await self._news.wait()
        self._news.clear()
        if self._is_broken:
            raise _Reopen("connection was lost")
        found: list[Bundle] = []
        try:
            while self._arrived:
                message = self._arrived.popleft()
                if message.headers and "Status" in message.headers:
                    self._hear(message.headers["Status"], message.headers.get("Description", ""))
                else:
                    found.append(self._accept(message))
        except _Reopen:
            if not found:
                raise
            self._is_broken = True  # first hand on what is whole; the next call reopens
        return found

    def _hear(self, status: str, description: str) -> None:
        """Source: NATS ADR-13, pull consumers. Raises _Reopen."""
        if status == "100":
            return  # idle heartbeat: alive, nothing new
        if status == "408" or (
            status == "409" and ("Batch Completed" in description or "MaxBytes" in description)
        ):
            self._asked = 0  # this question is answered
            return
        raise _Reopen(f"{status} {description}")

    def _accept(self, message: Msg) -> Bundle:
        """Raises _Reopen if entries were lost on the way: the next reading brings them."""
        sequence = message.metadata.sequence
        if sequence.consumer != self._expected:
            raise _Reopen(f"expected delivery {self._expected}, got {sequence.consumer}")
        self._expected += 1
        self._asked -= 1
        self._last = sequence.stream
        try:
            envelopes = unpack(message.data)
        except BrokenBundle as error:
            _log.error("bus.broken_bundle stream_sequence=%d error=%s", sequence.stream, error)
            # An unreadable payload under its own topic: the consumer parks it with its reason.
            topic = message.subject.removeprefix(f"{self._link.prefix}.{self.family}.").rpartition(".")[0]
            envelopes = (Envelope(topic, f"{self.family}:{sequence.stream}", "", message.data),)
        return Bundle(self.family, sequence.stream, envelopes)
