"""The collector's line to the bus, and the assignments that come down it, through outages."""

import asyncio
import logging
from collections.abc import AsyncIterator

from wardkeeper import bus
from wardkeeper.bus import BusAway, Carrier
from wardkeeper.messages import TargetsAssigned
from wardkeeper.settings import Settings

log = logging.getLogger(__name__)

_RETRY_S = 2.0


class Uplink:
    """Connects when the bus is there; a collector starts without it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._carrier: Carrier | None = None
        self._connecting = asyncio.Lock()

    async def carrier(self) -> Carrier:
        """Waits for the bus as long as it takes."""
        async with self._connecting:
            while self._carrier is None:
                try:
                    self._carrier = await bus.connect(self._settings.bus)
                except BusAway as error:
                    log.warning("collect.bus_away error=%s", error)
                    await asyncio.sleep(_RETRY_S)
            return self._carrier

    async def assignments(self) -> AsyncIterator[TargetsAssigned]:
        """For ever; after an outage it goes on where it was."""
        group = f"collect.{self._settings.collect.name}"
        while True:
            carrier = await self.carrier()
            try:
                async for batch in carrier.consume(group, [TargetsAssigned]):
                    for message in batch:
                        if isinstance(message, TargetsAssigned):
                            yield message
            except BusAway as error:
                log.warning("collect.bus_away error=%s", error)
                await asyncio.sleep(_RETRY_S)

    async def close(self) -> None:
        if self._carrier is not None:
            await self._carrier.close()
