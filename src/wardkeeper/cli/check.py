"""`wardkeeper check`: every setting with its origin, then whether everything works. It changes nothing.

Exit status: 0 all is well, 1 something needs a hand, 2 the settings are wrong (each mistake is named).
"""

import argparse
import asyncio
import dataclasses
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import psycopg

from wardkeeper.runtime.health import Check, report
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres
from wardkeeper.settings import Loaded, Settings, current, explain
from wardkeeper.settings.load import known
from wardkeeper.settings.logs import MASK, SECRET_KEY

# Above it, times written by the database and by a collector can no longer be put in order by eye,
# and Kerberos, TOTP and TLS begin to fail on the same machines.
SKEW_LIMIT_S = 2.0
# A group that is this far behind is not merely in the middle of a batch.
LAG_LIMIT_S = 60.0
CONNECT_TIMEOUT_S = 3
NOT_RUNNING = "the built-in one is not running; start `wardkeeper up`"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(args: argparse.Namespace) -> int:
    loaded = explain()
    rows = list(_rows(loaded))
    checks = _examine(_with_addresses(loaded.settings))
    well = all(check.state == "ok" for check in checks)
    if args.json:
        print(json.dumps({"ok": well, "settings": rows, "checks": [check._asdict() for check in checks]}))
    else:
        _print(rows, checks)
    return 0 if well else 1


def _rows(loaded: Loaded) -> Iterator[dict[str, Any]]:
    """Path, value and origin of each setting; a secret shows only whether it is set."""
    yield {"path": "data_dir", "value": str(loaded.settings.data_dir), "origin": _origin_of_data()}
    for path, entry in known().items():
        owner = getattr(loaded.settings, entry.section) if entry.section else loaded.settings
        value = getattr(owner, entry.field.name)
        shown = (MASK if value else "") if entry.is_secret else value
        yield {"path": path, "value": shown, "origin": loaded.origins.get(path, "default")}
    for name, table in sorted(loaded.settings.adapters.items()):
        for key, value in sorted(table.items()):
            path = f"adapters.{name}.{key}"
            yield {
                "path": path,
                "value": MASK if SECRET_KEY.search(key) else value,
                "origin": loaded.origins[path],
            }


def _origin_of_data() -> str:
    # `--data` has become the variable before this module was imported.
    return "--data or WARDKEEPER_DATA" if os.environ.get("WARDKEEPER_DATA") else "default"


def _print(rows: list[dict[str, Any]], checks: list[Check]) -> None:
    width = max(len(row["path"]) for row in rows)
    for row in rows:
        value = ", ".join(row["value"]) if isinstance(row["value"], tuple) else row["value"]
        print(f"{row['path']:<{width}}  {value!s:<28}  {row['origin']}")
    print()
    for check in checks:
        print(f"{check.state:<9} {check.name:<12} {check.detail}")


def _with_addresses(settings: Settings) -> Settings:
    """With the addresses of the built-in engines filled in, where they have been started before."""
    database, bus = settings.database, settings.bus
    if not database.dsn and (settings.data_dir / "postgres" / "password").is_file():
        database = dataclasses.replace(database, dsn=EmbeddedPostgres(settings.data_dir).dsn)
    if not bus.url and (settings.data_dir / "nats" / "password").is_file():
        bus = dataclasses.replace(bus, url=EmbeddedNats(settings.data_dir).url)
    return dataclasses.replace(settings, database=database, bus=bus)


def _examine(settings: Settings) -> list[Check]:
    checks = [_secret_key(settings)]
    if not settings.data_dir.is_dir():
        return [
            *checks,
            Check("data", "down", f"{settings.data_dir} is not there yet; start `wardkeeper up`"),
        ]
    if not settings.database.dsn or not settings.bus.url:
        missing = [
            name
            for name, known in (("database", settings.database.dsn), ("bus", settings.bus.url))
            if not known
        ]
        return [*checks, *(Check(name, "down", NOT_RUNNING) for name in missing)]
    found = report(settings).checks
    checks += found
    if all(check.state != "down" for check in found if check.name == "database"):
        checks += [_clock(settings), _parked(settings)]
        if all(check.state != "down" for check in found if check.name == "bus"):
            checks.append(_lag(settings))
    return checks


def _secret_key(settings: Settings) -> Check:
    if settings.secret_key:
        return Check("secret_key", "ok", "is set")
    return Check("secret_key", "down", "none yet; `wardkeeper up` makes it, or set WARDKEEPER_SECRET_KEY")


def _clock(settings: Settings) -> Check:
    """Database against this machine; the middle of the round trip is when the database looked."""
    with psycopg.connect(settings.database.dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        before = time.time()
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        after = time.time()
    skew_s = float(row[0]) - (before + after) / 2 if row else 0.0
    state = "ok" if abs(skew_s) <= SKEW_LIMIT_S else "degraded"
    return Check(
        "clock", state, f"database is {skew_s:+.3f} s from this machine, at most {SKEW_LIMIT_S:g} s is well"
    )


def _parked(settings: Settings) -> Check:
    with psycopg.connect(settings.database.dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        row = connection.execute("SELECT count(*) FROM bus_parkedmessage").fetchone()
    count = int(row[0]) if row else 0
    if count:
        return Check("parked", "degraded", f"{count} failed for good; see `wardkeeper parked list`")
    return Check("parked", "ok", "no message failed")


def _lag(settings: Settings) -> Check:
    os.environ["WARDKEEPER_DATABASE_DSN"] = settings.database.dsn
    os.environ["WARDKEEPER_BUS_URL"] = settings.bus.url
    current.cache_clear()
    from wardkeeper.bus import BusAway
    from wardkeeper.cli.main import start_django

    start_django()
    try:
        behind = asyncio.run(_lags(settings))
    except BusAway as error:
        return Check("lag", "down", f"cannot be asked: {error}")
    worst = max(behind.items(), key=lambda item: item[1], default=("", 0.0))
    if worst[1] > LAG_LIMIT_S:
        return Check("lag", "degraded", f"{worst[0]} is {worst[1]:.0f} s behind; does `run work` run?")
    return Check("lag", "ok", f"{len(behind)} groups, the last is {worst[1]:.1f} s behind")


async def _lags(settings: Settings) -> dict[str, float]:
    """Seconds that each group is behind, by its name."""
    from wardkeeper.bus import connect
    from wardkeeper.bus.worker import subscriptions

    carrier = await connect(settings.bus)
    try:
        return {
            one.group: (await carrier.lag(one.group, one.topics)).oldest_s for one in subscriptions().values()
        }
    finally:
        await carrier.close()
