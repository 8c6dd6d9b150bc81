"""Connects to one TCP port: is it open, how long did it take, does it greet as expected."""

import asyncio
import time
from dataclasses import dataclass

from wardkeeper.acquisition.adapters.tcp.decode import MOST_BANNER_BYTES, greets_with
from wardkeeper.acquisition.budget import budget_s
from wardkeeper.acquisition.columns import Columns, now_ms
from wardkeeper.acquisition.config import configure
from wardkeeper.acquisition.contract import ConfigError, Device, Emit, Malformed
from wardkeeper.acquisition.shortage import is_shortage


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One port.

    timeout_s  for the connection, and again for the greeting
    banner     text that the service must send first, e.g. "SSH-2.0"; empty: not read
    instance   put in braces behind the series' names, if one CI has several ports
    """

    host: str
    port: int
    timeout_s: float = 5.0
    banner: str = ""
    instance: str = ""

    def __post_init__(self) -> None:
        if not self.host:
            raise ConfigError("host is empty: give a name or an address")
        if not 0 < self.port < 1 << 16:
            raise ConfigError(f"port {self.port} is outside 1..65535")
        if not 0 < self.timeout_s <= 60:  # noqa: PLR2004 - said in the message
            raise ConfigError("timeout_s must be within 0..60")


@dataclass(slots=True)
class _Finding:
    connect_ms: float | None = None
    refused: bool = False
    greeted: bool | None = None


async def poll(device: Device, emit: Emit) -> None:
    """Emits `tcp.open`, `tcp.refused`, `tcp.connect_ms` and, with a banner wanted, `tcp.banner_ok`.

    Refused means that a host is there and nothing listens; not open and not refused
    means that nothing came back. Emits nothing if it is our machine that cannot ask.
    Raises ConfigError only.
    """
    config = configure(Config, device.config)
    at_ms = now_ms()
    finding = _Finding()
    try:
        async with asyncio.timeout(budget_s(device)):
            await _visit(config, finding, emit)
    except TimeoutError:
        emit.count("trouble.timeout")
    except ConnectionRefusedError:
        finding.refused = True
        emit.count("trouble.refused")
    except (OSError, UnicodeError) as error:
        if is_shortage(error):
            emit.count("trouble.collector")
            return
        emit.count("trouble.network")
    columns = Columns()
    columns.add("tcp.open", float(finding.connect_ms is not None), config.instance)
    columns.add("tcp.refused", float(finding.refused), config.instance)
    columns.add("tcp.connect_ms", finding.connect_ms, config.instance)
    if config.banner:
        columns.add("tcp.banner_ok", float(finding.greeted is True), config.instance)
    columns.emit(device, emit, time_ms=at_ms)


async def _visit(config: Config, finding: _Finding, emit: Emit) -> None:
    started_s = time.perf_counter()
    async with asyncio.timeout(config.timeout_s):
        reader, writer = await asyncio.open_connection(config.host, config.port, limit=MOST_BANNER_BYTES)
    finding.connect_ms = (time.perf_counter() - started_s) * 1000
    try:
        if config.banner:
            raw = await _greeting(reader, config)
            try:
                finding.greeted = greets_with(raw, config.banner)
            except Malformed as error:
                emit.malformed(raw[:MOST_BANNER_BYTES], config.host, error.reason)
    finally:
        # Not awaited: a peer that never closes its side must not hold the poll.
        writer.transport.abort()


async def _greeting(reader: asyncio.StreamReader, config: Config) -> bytes:
    raw = b""
    wanted = config.banner.encode()
    try:
        async with asyncio.timeout(config.timeout_s):
            while wanted not in raw and len(raw) <= MOST_BANNER_BYTES:
                chunk = await reader.read(MOST_BANNER_BYTES)
                if not chunk:
                    break
                raw += chunk
    except (TimeoutError, ConnectionError):
        pass
    return raw
