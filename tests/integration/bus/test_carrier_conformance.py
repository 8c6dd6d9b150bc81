"""The NATS carrier keeps every promise of `Carrier`, and those that only a server on disk can make."""

import uuid

import pytest

from tests.bus_conformance import CarrierConformance
from wardkeeper.bus.contract import Carrier
from wardkeeper.bus.nats import NatsCarrier
from wardkeeper.settings.schema import Bus


class _Carriers:
    def __init__(self, url: str) -> None:
        self._settings = Bus(url=url, prefix=f"test-{uuid.uuid4().hex[:12]}")
        self.opened: list[NatsCarrier] = []

    async def open(self) -> Carrier:
        carrier = await NatsCarrier.connect(self._settings)
        self.opened.append(carrier)
        return carrier


class TestNatsCarrier(CarrierConformance):
    @pytest.fixture
    async def carriers(self, nats_url):
        made = _Carriers(nats_url)
        yield made
        for carrier in made.opened:
            await carrier.close()
