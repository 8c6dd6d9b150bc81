"""The work of the bench `samples`, in a process whose environment names the engines."""

import asyncio
import itertools
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import django
import numpy as np
import numpy.typing as npt

from wardkeeper.cli.bench import _victoria
from wardkeeper.cli.bench._samples_data import NAMES, TICK_MS, WIDTH, device, messages
from wardkeeper.messages import SamplesCollected

DEVICES = 25
TICKS = 1440
BATCH = 500
BUS_TICKS = 400
PICKS = 300
_LIMIT_S = 300.0

Values = Sequence[npt.NDArray[np.float64]]


def main(scale: float) -> dict[str, float]:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    devices = max(round(DEVICES * scale), 1)
    values = [device(at, TICKS) for at in range(devices)]
    # The last poll lies at half past an hour: half an hour is hot, as it is on average.
    end_ms = int(time.time() * 1000) // 3_600_000 * 3_600_000 + 1_800_000
    start_ms = end_ms - (TICKS - 1) * TICK_MS
    figures = {"stored_per_s": _store(values, start_ms)}
    figures |= _sizes_and_packing(values, end_ms)
    picks = random.Random(1).sample(range(devices * WIDTH), PICKS)  # noqa: S311 - which series to ask for
    figures["series_24h_p50_ms"] = _ask(picks, end_ms)
    figures["samples_per_s"] = _through_the_bus(devices)
    return figures | _victoria.measure(values, start_ms, picks)


def _store(values: Values, start_ms: int) -> float:
    """Samples a second that the store takes from messages in memory, each batch committed."""
    from wardkeeper.aggregation.metric import services

    spent_s = 0.0
    for batch in _batches(values, start_ms):
        now_ms = batch[-1].times_ms[-1]
        began_s = time.perf_counter()
        services.store(batch, now_ms=now_ms)
        spent_s += time.perf_counter() - began_s
    return sum(each.size for each in values) / spent_s


def _batches(values: Values, start_ms: int) -> Iterator[list[SamplesCollected]]:
    """All devices tick by tick, as polls of many devices arrive."""
    times = range(start_ms, start_ms + len(values[0]) * TICK_MS, TICK_MS)
    by_device = [messages(ci + 1, each, times) for ci, each in enumerate(values)]
    together = itertools.chain.from_iterable(zip(*by_device, strict=True))
    while batch := list(itertools.islice(together, BATCH)):
        yield batch


def _sizes_and_packing(values: Values, end_ms: int) -> dict[str, float]:
    from wardkeeper.aggregation.metric import services

    hot = _bytes("metric_poll") / sum(each.size for each in values)
    _run("VACUUM ANALYZE metric_poll", [])
    began_s = time.perf_counter()
    polls = services.pack(now_ms=end_ms, seconds=_LIMIT_S)
    packing_s = time.perf_counter() - began_s
    packed = _bytes("metric_block") / (polls * WIDTH)
    services.roll_up(now_ms=end_ms, seconds=_LIMIT_S)
    _run("VACUUM ANALYZE metric_poll", [])
    _run("VACUUM ANALYZE metric_block", [])
    return {
        "bytes_per_sample_hot": hot,
        "bytes_per_sample_packed": packed,
        "packed_per_s": polls * WIDTH / packing_s,
    }


def _bytes(table: str) -> int:
    return int(_run("SELECT pg_total_relation_size(%s::regclass)", [table])[0])


def _run(statement: str, parameters: list[str | int]) -> tuple[int, ...]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: tuple[int, ...] = cursor.fetchone() if cursor.description else ()
    return found


def _ask(picks: Sequence[int], end_ms: int) -> float:
    """Median of the time in which a page has one series of the last 24 hours, in milliseconds."""
    from wardkeeper.aggregation.metric import queries

    start, end = (datetime.fromtimestamp(at / 1000, UTC) for at in (end_ms - 86_400_000, end_ms + 1))
    took_ms = []
    for pick in picks:
        metric, _, instance = NAMES[pick % WIDTH].partition("{")
        (series,) = queries.find_series(pick // WIDTH + 1, metric, instance.rstrip("}"))
        began_s = time.perf_counter()
        track = queries.window([series], start, end)[series]
        took_ms.append((time.perf_counter() - began_s) * 1000)
        if len(track.times_ms) != TICKS:
            raise RuntimeError(f"{len(track.times_ms)} samples of {TICKS}")
    return statistics.median(took_ms)


def _through_the_bus(devices: int) -> float:
    """Samples a second from the first publish to the last commit; the publisher is a process of its own."""
    publisher = subprocess.Popen(
        [sys.executable, "-m", "wardkeeper.cli.bench._samples_publish", str(devices), str(BUS_TICKS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert publisher.stdin is not None and publisher.stdout is not None  # noqa: S101, PT018 - pipes were asked for
    try:
        publisher.stdout.readline()  # its messages are made
        return asyncio.run(_consume(publisher, devices * BUS_TICKS)) * WIDTH
    finally:
        publisher.stdin.close()
        publisher.wait(30)


async def _consume(publisher: "subprocess.Popen[str]", polls: int) -> float:
    """Polls a second through the room's own subscription, as `run work` runs it."""
    from wardkeeper import bus
    from wardkeeper.aggregation.metric.handlers import SUBSCRIPTIONS
    from wardkeeper.bus.group import Group
    from wardkeeper.settings import current

    carrier = await bus.connect(current().bus)
    stop = asyncio.Event()
    with ThreadPoolExecutor(2) as threads:
        running = asyncio.create_task(Group(SUBSCRIPTIONS["metric.samples"], carrier, threads).run(stop))
        began_s = time.perf_counter()
        if publisher.stdin is not None:
            publisher.stdin.write("go\n")
            publisher.stdin.flush()
        last = 0
        while last < polls:
            await asyncio.sleep(0.05)
            if time.perf_counter() - began_s > _LIMIT_S:
                raise TimeoutError(f"{last} of {polls} polls stored after {_LIMIT_S} s")
            last = await asyncio.get_running_loop().run_in_executor(threads, _stored_polls)
        took_s = time.perf_counter() - began_s
        stop.set()
        await running
    await carrier.close()
    return polls / took_s


def _stored_polls() -> int:
    """Of the devices that were published: their rows are all hot."""
    return _run("SELECT count(*) FROM metric_poll WHERE ci > %s", [_FIRST_PUBLISHED])[0]


_FIRST_PUBLISHED = 1_000_000
"""CIs of published devices are numbered from here, apart from those of the store alone."""

if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]))))
