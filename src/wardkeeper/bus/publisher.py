"""A collector's way out: to the bus while it is there, else to the spool and from there to the bus."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from wardkeeper.bus.codec import seal
from wardkeeper.bus.contract import BusAway, Carrier, Envelope, MessageRefused
from wardkeeper.bus.ending import end
from wardkeeper.bus.spool import Spool
from wardkeeper.messages import Message

_log = logging.getLogger(__name__)

PATIENCE_S = 3.0
"""How long a publication may take before its messages go to disk instead."""

_PAUSE_S = 1.0


class Publisher:
    """Keeps the order: as long as anything is spooled, new messages go behind it.

    carrier  waits for the bus and returns its carrier
    refused  messages that no bus takes, since the start; they are logged and let go
    """

    def __init__(
        self, carrier: Callable[[], Awaitable[Carrier]], spool: Spool, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._carrier = carrier
        self._spool = spool
        self._patience_s = patience_s
        self._turn = asyncio.Lock()
        self._draining: asyncio.Task[None] | None = None
        self.refused = 0

    @property
    def spooled_bytes(self) -> int:
        return self._spool.size_bytes

    async def publish(self, messages: Sequence[Message]) -> None:
        """Returns when all are durable, on the bus or on disk. Raises OSError if neither."""
        sealed = self._sealed(messages)
        async with self._turn:
            if self._draining is None and self._spool.is_empty and await self._sent(sealed):
                return
            await asyncio.to_thread(self._spool.append, sealed)
            if self._draining is None:
                self._draining = asyncio.create_task(self._drain(), name="spool")

    async def close(self) -> None:
        """What is spooled stays on disk for the next start."""
        if self._draining is not None:
            await end(self._draining)
        self._spool.close()

    async def start(self) -> None:
        """Sends what an earlier life has left, without waiting for a new message."""
        async with self._turn:
            if self._draining is None and not self._spool.is_empty:
                self._draining = asyncio.create_task(self._drain(), name="spool")

    def _sealed(self, messages: Sequence[Message]) -> list[Envelope]:
        sealed = []
        for message in messages:
            try:
                sealed.append(seal(message))
            except MessageRefused as error:
                self._refuse(error)
        return sealed

    def _refuse(self, error: MessageRefused) -> None:
        self.refused += 1
        _log.error("spool.refused", extra={"reason": str(error)})

    async def _sent(self, sealed: Sequence[Envelope]) -> bool:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._put(await self._carrier(), sealed)
        except (TimeoutError, BusAway) as error:
            _log.warning("spool.begins", extra={"reason": str(error) or "the bus does not answer"})
            return False
        return True

    async def _put(self, carrier: Carrier, sealed: Sequence[Envelope]) -> None:
        try:
            await carrier.publish(sealed)
        except MessageRefused:
            for each in sealed:
                try:
                    await carrier.publish([each])
                except MessageRefused as error:
                    self._refuse(error)

    async def _drain(self) -> None:
        while True:
            try:
                segment = await asyncio.to_thread(self._spool.oldest)
                if segment is not None:
                    await self._put(await self._carrier(), segment.envelopes)
                    await asyncio.to_thread(self._spool.remove, segment)
                    continue
            except (BusAway, OSError) as error:
                _log.info("spool.waits", extra={"reason": str(error), "bytes": self.spooled_bytes})
                await asyncio.sleep(_PAUSE_S)
                continue
            async with self._turn:
                if self._spool.is_empty:
                    self._draining = None
                    _log.info("spool.empty")
                    return
