"""The process that is all the devices: SNMP and web servers on addresses of loopback."""

import asyncio
import contextlib
import errno
import logging
import signal
import ssl
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from wardkeeper.cli.bench._snmp_agent import Agent
from wardkeeper.cli.demo.devices import certificate, fleet
from wardkeeper.cli.demo.devices.faults import Faults, announce, folder
from wardkeeper.cli.demo.devices.fleet import FLEET, Simulated
from wardkeeper.cli.demo.devices.objects import Picture

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
REDRAWN_AFTER_S = 0.5
"""An answer may be this old: a poll asks several times in a row and must see one state."""
SLOW_S = 3.6
_LONGEST_REQUEST = 16 << 10


class SnmpDevice(asyncio.DatagramProtocol):
    """Answers for one device; its objects are drawn when somebody asks."""

    def __init__(self, device: Simulated, faults: Faults, picture: Picture) -> None:
        self._device, self._faults, self._picture = device, faults, picture
        self._agent = Agent({}, community=fleet.COMMUNITY)
        self._drawn_at = 0.0
        self._drawn: dict[str, float] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # In CPython 3.11 the class of a datagram socket's transport is no DatagramTransport.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._faults.has(self._device, fleet.SILENT) or self._transport is None:
            return
        self._draw(time.time())
        if (answer := self._agent.answer(data)) is not None:
            self._transport.sendto(answer, addr)

    def _draw(self, now: float) -> None:
        faults = {
            fault: since
            for fault in self._device.faults
            if (since := self._faults.since(self._device, fault)) is not None
        }
        if now - self._drawn_at < REDRAWN_AFTER_S and faults == self._drawn:
            return
        self._agent.set(self._picture.at(now, faults=faults))
        self._drawn_at, self._drawn = now, faults


class WebDevice:
    """One page over HTTP or HTTPS. A silent one closes the connection without an answer."""

    def __init__(self, device: Simulated, faults: Faults) -> None:
        self._device, self._faults = device, faults

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads one request and answers it."""
        try:
            async with asyncio.timeout(10):
                request = await reader.readuntil(b"\r\n\r\n")
            if not self._faults.has(self._device, fleet.SILENT):
                if self._faults.has(self._device, fleet.SLOW):
                    await asyncio.sleep(SLOW_S)
                writer.write(self._page(is_head=request.startswith(b"HEAD ")))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # a caller that went away, or spoke no HTTP, gets nothing
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    def _page(self, *, is_head: bool) -> bytes:
        is_failing = self._faults.has(self._device, fleet.ERROR)
        status = "500 Internal Server Error" if is_failing else "200 OK"
        word = "服务异常" if is_failing else "运行正常"
        body = f"<!doctype html><meta charset=utf-8><title>{self._device.name_zh}</title><p>{word}</p>\n".encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + (b"" if is_head else body)


class TlsPage:
    """Its listening socket, opened anew with the other certificate when that fault comes or goes."""

    def __init__(self, device: Simulated, faults: Faults, place: Path) -> None:
        self._device, self._faults = device, faults
        self._web = WebDevice(device, faults)
        self._contexts = {
            is_ending: certificate.context(place, host=device.address, days=days)
            for is_ending, days in ((False, certificate.GOOD_DAYS), (True, certificate.ENDING_DAYS))
        }
        self._shown: bool | None = None
        self._server: asyncio.Server | None = None

    async def keep(self) -> None:
        """Shows the certificate that the faults say."""
        wanted = self._faults.has(self._device, fleet.CERTIFICATE)
        if wanted is self._shown:
            return
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._shown = wanted
        try:
            self._server = await asyncio.start_server(
                self._web.answer,
                self._device.address,
                fleet.HTTPS_PORT,
                ssl=self._contexts[wanted],
                limit=_LONGEST_REQUEST,
                reuse_address=True,
            )
        except OSError as error:
            _stay_away(self._device, error)


async def serve(data_dir: Path, *, timezone: str, ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Answers until `stop` is set. A device whose port is taken stays away, with a line in the log."""
    faults = Faults(folder(data_dir))
    faults.look()
    tls = [TlsPage(device, faults, data_dir / "demo") for device in FLEET if device.tls]
    for device in FLEET:
        if not device.tls:
            await _start(device, faults, timezone)
    for page in tls:
        await page.keep()
    shown = announce(data_dir, FLEET)
    ready()
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            faults.look()
            for page in tls:
                await page.keep()
    finally:
        shown.unlink(missing_ok=True)


async def _start(device: Simulated, faults: Faults, timezone: str) -> None:
    try:
        if device.model == "web":
            web = WebDevice(device, faults)
            await asyncio.start_server(
                web.answer, device.address, fleet.HTTP_PORT, limit=_LONGEST_REQUEST, reuse_address=True
            )
            return
        now = time.time()
        offset = datetime.now(ZoneInfo(timezone)).utcoffset()
        picture = Picture(device, started_at=now, utc_offset_s=offset.total_seconds() if offset else 0.0)
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: SnmpDevice(device, faults, picture), local_addr=(device.address, fleet.SNMP_PORT)
        )
    except OSError as error:
        _stay_away(device, error)


def _stay_away(device: Simulated, error: OSError) -> None:
    """Another demo has the address, or this machine lacks it: one device fewer, not none."""
    if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
        raise error
    log.warning("demo.device_away", extra={"device": device.key, "reason": error.strerror})


def main(data_dir: Path, *, timezone: str, ready: Callable[[], None]) -> None:
    """Until SIGTERM or SIGINT."""

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(data_dir, timezone=timezone, ready=ready, stop=stop)

    asyncio.run(until_told())
