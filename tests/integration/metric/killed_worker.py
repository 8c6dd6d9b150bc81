"""The process that test_kill.py kills. Stores a device's polls minute by minute and packs in between.

prepare            makes the tables
work FROM TO       stores minutes FROM .. TO and prints each minute that is committed
finish FROM TO     the same to the end, packs, and says whether every sample is there once
"""

import os
import sys
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wardkeeper.settings.django")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django is set up first

from tests.integration.metric.room import HOUR, MIDNIGHT, MINUTE, poll  # noqa: E402
from wardkeeper.aggregation.metric import queries, services  # noqa: E402

SERIES = [f"interface.in_octets{{{port}}}" for port in range(8)] + ["icmp.rtt_ms", "device.reachable"]


def values(minute):
    return dict(
        zip(
            SERIES,
            [*(10**9 + port * minute**2 for port in range(8)), minute / 7, minute % 3 > 0],
            strict=True,
        )
    )


def work(first, last):
    for minute in range(first, last):
        now_ms = MIDNIGHT + minute * MINUTE
        # The bus hands over again what was stored but not yet acknowledged.
        batch = range(max(0, minute - 3), minute + 1)
        services.store([poll(MIDNIGHT + each * MINUTE, values(each)) for each in batch], now_ms=now_ms)
        print(minute, flush=True)
        if minute % 10 == 9:
            services.pack(now_ms=now_ms)
            services.roll_up(now_ms=now_ms)


def check(last):
    end = datetime.fromtimestamp((MIDNIGHT + last * MINUTE) / 1000, UTC)
    start = datetime.fromtimestamp(MIDNIGHT / 1000, UTC)
    for name in SERIES:
        metric, _, instance = name.partition("{")
        (pk,) = queries.find_series(7, metric, instance.rstrip("}"))
        track = queries.window([pk], start, end)[pk]
        found = list(zip(track.times_ms.tolist(), track.values.tolist(), strict=True))
        expected = [(MIDNIGHT + minute * MINUTE, float(values(minute)[name])) for minute in range(last)]
        if found != expected:
            return f"{name}: {len(found)} of {len(expected)}"
        rolled = queries.window([pk], start, end, 300)[pk]
        if len(rolled.times_ms) != last // 5:
            return f"{name}: {len(rolled.times_ms)} buckets"
    return "complete"


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        call_command("migrate", verbosity=0)
    elif sys.argv[1] == "work":
        work(int(sys.argv[2]), int(sys.argv[3]))
    else:
        # Its prints are not wanted: only the verdict is.
        said, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115, PTH123 - lives as long as the process
        work(int(sys.argv[2]), int(sys.argv[3]))
        services.pack(now_ms=MIDNIGHT + int(sys.argv[3]) * MINUTE + 8 * HOUR)
        services.roll_up(now_ms=MIDNIGHT + int(sys.argv[3]) * MINUTE + 8 * HOUR)
        print(check(int(sys.argv[3])), file=said)
