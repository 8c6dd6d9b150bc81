"""A room that starts empty, a clock that the test moves, and polls to store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wardkeeper.aggregation.alarm.condition import Condition
from wardkeeper.aggregation.metric import services
from wardkeeper.aggregation.metric.services.store import forget
from wardkeeper.messages import SamplesCollected

MINUTE = 60_000
HOUR = 60 * MINUTE
MIDNIGHT = 1_790_000_000_000 // (24 * HOUR) * 24 * HOUR
"""Some midnight, UTC: windows of blocks begin here."""


def poll(
    time_ms: int,
    values: Mapping[str, float],
    *,
    ci: int = 7,
    target: str = "t7",
    interval_s: float = 60.0,
    collector: str = "north",
) -> SamplesCollected:
    columns = {name: [value] for name, value in values.items()}
    return polls([time_ms], columns, ci=ci, target=target, interval_s=interval_s, collector=collector)


def polls(
    times: Sequence[int],
    values: Mapping[str, Sequence[float]],
    *,
    ci: int = 7,
    target: str = "t7",
    interval_s: float = 60.0,
    collector: str = "north",
) -> SamplesCollected:
    return SamplesCollected(
        collector=collector,
        target=target,
        ci=ci,
        series="\n".join(values),
        times_ms=tuple(times),
        values=np.array(list(values.values()), np.float64).T.tobytes(),
        interval_s=interval_s,
    )


@dataclass
class Room:
    """Stores as a worker does whose transaction commits; `now_ms` is the clock on its wall."""

    commit: Callable[..., Any]
    now_ms: int = MIDNIGHT
    said: list[Condition] = field(default_factory=list)

    def store(self, *messages: SamplesCollected, now_ms: int | None = None) -> list[Condition]:
        self.now_ms = now_ms if now_ms is not None else max(max(m.times_ms) for m in messages)
        with self.commit(execute=True):
            stored = services.store(messages, now_ms=self.now_ms)
        self.said += stored.conditions
        return stored.conditions

    def restart(self) -> None:
        """A new process: it remembers nothing."""
        forget()
