"""Publishes polls of many devices, as a collector does: makes them, says so, waits for a line, sends all."""

import asyncio
import itertools
import sys
import time

from wardkeeper import bus
from wardkeeper.cli.bench._samples_data import device, messages
from wardkeeper.settings import current

FIRST_CI = 1_000_001
AT_ONCE = 500
_SPACING_MS = 1000


async def main(devices: int, ticks: int) -> None:
    end_ms = time.time_ns() // 1_000_000
    times = range(end_ms - ticks * _SPACING_MS, end_ms, _SPACING_MS)
    by_device = [messages(FIRST_CI + at, device(at, ticks), times) for at in range(devices)]
    ready = list(itertools.chain.from_iterable(zip(*by_device, strict=True)))
    carrier = await bus.connect(current().bus)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for first in range(0, len(ready), AT_ONCE):
        await carrier.publish(ready[first : first + AT_ONCE])
    await carrier.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
