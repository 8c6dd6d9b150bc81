"""The in-memory carrier keeps every promise of `Carrier`."""

import pytest

from tests.bus_conformance import CarrierConformance
from wardkeeper.bus.contract import Carrier
from wardkeeper.bus.memory import MemoryCarrier


class _Carriers:
    def __init__(self) -> None:
        self._first = MemoryCarrier()

    async def open(self) -> Carrier:
        return self._first.reopened()


class TestMemoryCarrier(CarrierConformance):
    @pytest.fixture
    def carriers(self):
        return _Carriers()
