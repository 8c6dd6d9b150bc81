"""An Emit that keeps what a poller says, for tests to look at."""

import struct
from collections import Counter
from collections.abc import Mapping
from typing import Any

from wardkeeper.acquisition.contract import Device
from wardkeeper.messages import DeviceDescribed, Message, SamplesCollected


class Collected:
    """`samples` one mapping a poll, series -> value; `described` what devices said of themselves."""

    collector = "test"

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.counts: Counter[str] = Counter()
        self.bad: list[tuple[bytes, str, str]] = []

    def __call__(self, message: Message) -> None:
        self.messages.append(message)

    def malformed(self, raw: bytes, source: str, reason: str) -> None:
        self.bad.append((raw, source, reason))

    def count(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount

    @property
    def samples(self) -> list[dict[str, float]]:
        return [unpacked(each) for each in self.messages if isinstance(each, SamplesCollected)]

    @property
    def last(self) -> dict[str, float]:
        return self.samples[-1]

    @property
    def described(self) -> list[DeviceDescribed]:
        return [each for each in self.messages if isinstance(each, DeviceDescribed)]


def unpacked(message: SamplesCollected) -> dict[str, float]:
    names = message.series.split("\n")
    assert len(message.times_ms) == 1
    return dict(zip(names, struct.unpack(f"<{len(names)}d", message.values), strict=True))


def device(
    config: Mapping[str, Any], *, target: str = "t", interval_s: float = 60, timeout_s: float = 10
) -> Device:
    return Device(target=target, ci=1, interval_s=interval_s, timeout_s=timeout_s, config=config)
