"""Every setting, its default and its meaning. The example file and the reference page are made from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Site:
    """The hospital, or group of hospitals, that this installation serves."""

    name: str = field(default="Wardkeeper", metadata={"help": "Name shown at the top of every page."})
    timezone: str = field(
        default="Asia/Shanghai",
        metadata={"help": "IANA name; every time on a page is in it.", "form": "timezone"},
    )
    language: str = field(
        default="auto",
        metadata={"help": "What a browser without a wish gets.", "choices": ("auto", "zh-hans", "en")},
    )


@dataclass(frozen=True, slots=True)
class Web:
    listen: str = field(
        default="127.0.0.1:8000", metadata={"help": "HOST:PORT of pages and API.", "form": "listen"}
    )
    events_listen: str = field(
        default="",
        metadata={
            "help": "HOST:PORT of the event streams; empty: the next port after `listen`.",
            "form": "listen or nothing",
        },
    )
    events_url: str = field(
        default="",
        metadata={
            "help": "Where browsers find the event streams, if a proxy stands before them.",
            "form": "url",
        },
    )
    workers: int = field(default=2, metadata={"help": "Processes that serve pages.", "min": 1, "max": 64})
    hosts: tuple[str, ...] = field(default=("*",), metadata={"help": "Host names the pages answer to."})
    origins: tuple[str, ...] = field(
        default=(), metadata={"help": "https:// origins of a proxy, trusted for forms.", "form": "origins"}
    )
    behind_tls: bool = field(
        default=False,
        metadata={"help": "A proxy adds TLS: cookies become Secure, X-Forwarded-Proto is believed."},
    )
    idle_minutes: int = field(
        default=60, metadata={"help": "Signed out after this long without a click.", "min": 1, "max": 1440}
    )


@dataclass(frozen=True, slots=True)
class Database:
    dsn: str = field(
        default="",
        metadata={
            "help": "PostgreSQL 15 or newer, postgresql://...; empty: the built-in one.",
            "secret": True,
            "form": "dsn",
        },
    )


@dataclass(frozen=True, slots=True)
class Bus:
    url: str = field(
        default="",
        metadata={
            "help": "nats://... of a JetStream server; empty: the built-in one.",
            "secret": True,
            "form": "bus",
        },
    )
    replicas: int = field(default=1, metadata={"help": "Copies of each message.", "min": 1, "max": 5})
    prefix: str = field(
        default="wardkeeper",
        metadata={"help": "Begins the name of every stream, so that installations can share a server."},
    )


@dataclass(frozen=True, slots=True)
class Collect:
    name: str = field(
        default="local", metadata={"help": "Name of this collector; targets are assigned to it."}
    )
    spool_mb: int = field(
        default=1024,
        metadata={
            "help": "Disk for messages while the bus is away; the oldest samples go first.",
            "min": 16,
            "max": 1 << 20,
        },
    )


@dataclass(frozen=True, slots=True)
class Log:
    level: str = field(
        default="info",
        metadata={"help": "Least level written.", "choices": ("debug", "info", "warning", "error")},
    )


@dataclass(frozen=True, slots=True)
class Settings:
    data_dir: Path
    site: Site = Site()
    web: Web = Web()
    database: Database = Database()
    bus: Bus = Bus()
    collect: Collect = Collect()
    log: Log = Log()
    adapters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Listening adapters by name: `[adapters.syslog]` with `host`, `port`; `enabled = false` stops one."""
    secret_key: str = field(
        default="", metadata={"secret": True, "help": "Made at the first start if empty."}
    )
    """Signs sessions and seals credentials; kept in `<data_dir>/secret.key` unless set."""
