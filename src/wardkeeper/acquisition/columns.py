"""Builds a SamplesCollected: names in one string, values in one block of bytes, never an object per sample."""

import struct
import time
from collections.abc import Iterable, Sequence
from math import nan

from wardkeeper.acquisition.contract import Device, Emit
from wardkeeper.messages import SamplesCollected


class Columns:
    """The values of one poll, in the order in which they are added.

    A missing value is NaN: the series keeps its place and the gap is visible.
    """

    __slots__ = ("_names", "_values")

    def __init__(self) -> None:
        self._names: list[str] = []
        self._values: list[float] = []

    def add(self, metric: str, value: float | None, instance: str = "") -> None:
        """`instance` is what stands in the braces: an ifIndex, a mount path; it must hold no line break."""
        self._names.append(f"{metric}{{{instance}}}" if instance else metric)
        self._values.append(nan if value is None else value)

    def extend(self, names: Iterable[str], values: Iterable[float]) -> None:
        """Whole blocks whose names the caller keeps from poll to poll; as many values as names."""
        self._names.extend(names)
        self._values.extend(values)

    def as_mapping(self) -> dict[str, float]:
        return dict(zip(self._names, self._values, strict=True))

    def emit(self, device: Device, emit: Emit, *, time_ms: int) -> None:
        """Hands the columns on as one message."""
        emit(
            SamplesCollected(
                collector=emit.collector,
                target=device.target,
                ci=device.ci,
                series="\n".join(self._names),
                times_ms=(time_ms,),
                values=packed(self._values),
                interval_s=device.interval_s,
            )
        )


def packed(values: Sequence[float]) -> bytes:
    """float64, little-endian, as SamplesCollected wants them."""
    return struct.pack(f"<{len(values)}d", *values)


def now_ms() -> int:
    """The time that a sample bears: epoch milliseconds of this machine's clock."""
    return time.time_ns() // 1_000_000
