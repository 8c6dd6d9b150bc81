"""What /readyz and `wardkeeper check` tell: is everything up, and is anything about to go wrong.

Under `up` the supervisor's status file says most of it. A role that runs alone, under a service manager,
sees only its own engines and disk.
"""

import shutil
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg

from wardkeeper.runtime import addresses, fingerprint
from wardkeeper.runtime.status import StatusFile
from wardkeeper.runtime.supervisor import DISK_LOW_BYTES
from wardkeeper.settings import Settings

_STALE_S = 20.0
_ENGINE_TIMEOUT_S = 2


class Check(NamedTuple):
    """`state`: ok, degraded (works, but look at it) or down. `detail` is for an operator, in English."""

    name: str
    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """`ok`: nothing is down. `degraded`: something works but needs a hand; `reasons` are theirs."""

    ok: bool
    degraded: bool
    checks: tuple[Check, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(f"{check.name}: {check.detail}" for check in self.checks if check.state != "ok")


def report(settings: Settings) -> Report:
    """The state of this installation now; takes at most some seconds when an engine is mute."""
    facts = StatusFile(settings.data_dir).read()
    checks = [_database(settings), _bus(settings), _disk(settings)]
    if facts is not None:
        checks += _supervised(facts)
    return Report(
        ok=all(check.state != "down" for check in checks),
        degraded=any(check.state == "degraded" for check in checks),
        checks=tuple(checks),
    )


def _database(settings: Settings) -> Check:
    """It answers, takes writes, and has the shape of this program."""
    try:
        with psycopg.connect(settings.database.dsn, connect_timeout=_ENGINE_TIMEOUT_S) as connection:
            row = connection.execute("SHOW transaction_read_only").fetchone()
            made_for = fingerprint.in_database(connection)
        if row and row[0] == "on":
            return Check("database", "down", "takes no writes; is it a standby?")
        if made_for != _our_migrations():
            return Check("database", "down", "migrations are pending; run `wardkeeper migrate`")
    except psycopg.Error as error:
        return Check("database", "down", " ".join(str(error).split()))
    return Check("database", "ok", "answers, migrations are applied")


@cache
def _our_migrations() -> str:
    """Computed once: the program's files do not change while it runs."""
    return fingerprint.of_migrations()


def _bus(settings: Settings) -> Check:
    for url in settings.bus.url.split(","):
        parts = urlsplit(url.strip())
        if parts.scheme == "memory":
            return Check("bus", "ok", "in memory")
        if parts.hostname and addresses.accepts(
            parts.hostname, parts.port or 4222, timeout_s=_ENGINE_TIMEOUT_S
        ):
            return Check("bus", "ok", "takes connections")
    return Check("bus", "down", "takes no connections; collectors spool meanwhile")


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.data_dir).free
    detail = f"{free >> 20} MB free in {settings.data_dir}"
    if free < DISK_LOW_BYTES:
        return Check("disk", "degraded", f"{detail}; less than {DISK_LOW_BYTES >> 20} MB, make room")
    return Check("disk", "ok", detail)


def _supervised(facts: dict[str, Any]) -> list[Check]:
    age_s = time.time() - float(facts["written_at"])
    if age_s > _STALE_S:
        return [Check("supervisor", "down", f"not heard of for {age_s:.0f} s; start `wardkeeper up` again")]
    checks = [Check("supervisor", "ok", f"process {facts['pid']}")]
    for group in ("engines", "roles"):
        for name, told in facts[group].items():
            state = "ok" if told["state"] == "up" else "down"
            checks.append(Check(name, state, f"{told['state']}, restarted {told['restarts']} times"))
    return checks
