"""Synthetic polls: what a device with 400 series would say, the same for the same seed.

A third each: counters (octets, rates spread over orders of magnitude, 10 % noise), noisy gauges
with two decimals, slow walks in thousandths. Gauges and walks have shipped thresholds.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from wardkeeper.messages import SamplesCollected

WIDTH = 400
TICK_MS = 60_000
_THIRD = WIDTH // 3
_WALKS = WIDTH - 2 * _THIRD

NAMES = (
    [f"interface.in_octets{{{at}}}" for at in range(_THIRD)]
    + [f"http.time_ms{{{at}}}" for at in range(_THIRD)]
    + [f"storage.used_share{{{at}}}" for at in range(_WALKS)]
)


def device(seed: int, ticks: int) -> npt.NDArray[np.float64]:
    """Values of one device, shape (ticks, WIDTH)."""
    rng = np.random.default_rng(seed)
    rate = rng.lognormal(8, 1.5, _THIRD)
    growth = np.rint(rate * np.abs(rng.normal(1, 0.1, (ticks, _THIRD))))
    counters = np.floor(rng.uniform(0, 1e10, _THIRD)) + np.cumsum(growth, axis=0)
    gauges = np.round(rng.normal(50, 20, _THIRD) + rng.normal(0, 3, (ticks, _THIRD)), 2)
    steps = rng.choice([-1, 0, 1], (ticks, _WALKS), p=[0.1, 0.8, 0.1])
    walks = np.clip(np.round(rng.integers(200, 800, _WALKS) + np.cumsum(steps, axis=0)), 0, 1000) / 1000
    return np.concatenate([counters, gauges, walks], axis=1)


def messages(ci: int, values: npt.NDArray[np.float64], times_ms: range) -> Iterator[SamplesCollected]:
    """One message a poll, as a collector sends them."""
    series = "\n".join(NAMES)
    for time_ms, row in zip(times_ms, values, strict=True):
        yield SamplesCollected(
            collector="bench",
            target=f"bench.{ci}",
            ci=ci,
            series=series,
            times_ms=(time_ms,),
            values=row.tobytes(),
            interval_s=TICK_MS / 1000,
        )
