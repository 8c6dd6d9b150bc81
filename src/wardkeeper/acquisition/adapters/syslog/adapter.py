"""Receives syslog over UDP and TCP on one port."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wardkeeper.acquisition.adapters.syslog.decode import decode
from wardkeeper.acquisition.adapters.syslog.stream import Connections
from wardkeeper.acquisition.batching import Batcher
from wardkeeper.acquisition.contract import ConfigError, Malformed, PacedEmit
from wardkeeper.acquisition.sockets import Datagram, drain, listening, plain
from wardkeeper.settings import current

NAME = "syslog"
KIND = "syslog"
SEVERITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
"""RFC 5424, table 2, by number."""
_MOST_SOURCES = 10_000


@dataclass(frozen=True, slots=True)
class Config:
    """`[adapters.syslog]` in the settings file.

    host              address to listen on; "0.0.0.0" or "::" for all
    port              UDP and TCP
    tcp               whether to listen on TCP too
    min_severity      the least severe that goes on to the bus, 0 emergency .. 7 debug;
                      what is less severe is only counted
    timezone          IANA name for stamps that name none; empty: the site's
    longest_bytes     of one message over TCP; the rest of a longer one is cut off
    most_connections  at once; one more closes the one that has been silent longest
    idle_s            a connection silent for this long is closed. Long, because a sender
                      whose connection was closed loses what it writes next
    """

    host: str = "127.0.0.1"
    port: int = 9514
    tcp: bool = True
    min_severity: int = 4
    timezone: str = ""
    longest_bytes: int = 65_536
    most_connections: int = 1000
    idle_s: float = 86_400.0


class Intake:
    """Decodes lines, counts them by severity and gathers those that go on."""

    def __init__(self, config: Config, emit: PacedEmit) -> None:
        if not 0 <= config.min_severity < len(SEVERITIES):
            raise ConfigError(f"min_severity {config.min_severity}: from 0 (emergency) to 7 (debug)")
        try:
            self._zone = ZoneInfo(config.timezone or current().site.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ConfigError(f"timezone {config.timezone!r}: no such zone") from error
        self._least = config.min_severity
        self._emit = emit
        self._sources: dict[tuple[str, ...], str] = {}
        self.batcher = Batcher(NAME, emit)

    def datagrams(self, burst: list[Datagram]) -> None:
        known = self._sources
        self._take(
            "received_udp", [(raw, known.get(sender) or self._source(sender)) for raw, sender in burst]
        )

    def lines(self, raws: Iterable[bytes], source: str) -> None:
        self._take("received_tcp", [(raw, source) for raw in raws])

    def _take(self, counter: str, lines: list[tuple[bytes, str]]) -> None:
        now, today = self._now()
        zone, least, add = self._zone, self._least, self.batcher.add
        seen = [0] * len(SEVERITIES)
        for raw, source in lines:
            try:
                fields = decode(raw, today=today, zone=zone)
            except Malformed as malformed:
                self._emit.malformed(raw, source, malformed.reason)
                continue
            if "defect" in fields:
                # Understood all the same; kept so that somebody can tell the device's owner.
                self._emit.malformed(raw, source, str(fields["defect"]))
            severity = int(fields["severity"])
            seen[severity] += 1
            if severity <= least:
                add(source, now, KIND, fields, size=len(raw))
        self._emit.count(counter, len(lines))
        for name, amount in zip(SEVERITIES, seen, strict=True):
            if amount:
                self._emit.count(f"severity.{name}", amount)

    def _now(self) -> tuple[int, date]:
        seconds = time.time()
        return int(seconds * 1000), datetime.fromtimestamp(seconds, self._zone).date()

    def _source(self, address: tuple[str, ...]) -> str:
        if len(self._sources) >= _MOST_SOURCES:
            self._sources.clear()
        source = self._sources[address] = plain(address)
        return source


async def run(config: Config, emit: PacedEmit) -> None:
    intake = Intake(config, emit)
    udp = listening(NAME, "udp", config)
    with udp:
        tcp = listening(NAME, "tcp", config) if config.tcp else None
        connections = Connections(config, intake.lines, emit)
        gathering = asyncio.create_task(intake.batcher.run(), name="syslog batches")
        try:
            if tcp is not None:
                await connections.start(tcp)
            await drain(udp, intake.datagrams, emit)
        finally:
            await connections.stop()
            gathering.cancel()
            with suppress(asyncio.CancelledError):
                await gathering
