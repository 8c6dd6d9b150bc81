"""A collector inside a bench, with a real bus under it, and senders beside it."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wardkeeper.acquisition import counters, sockets
from wardkeeper.acquisition.registry import Kind, manifests
from wardkeeper.acquisition.supervisor import Collector
from wardkeeper.acquisition.uplink import Uplink
from wardkeeper.bus.publisher import Publisher
from wardkeeper.bus.spool import Spool
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.settings import load
from wardkeeper.settings.schema import Bus

_SECRET = "only for this bench, kept nowhere"  # noqa: S105 - it seals nothing


@dataclass(frozen=True, slots=True)
class Bench:
    """The running collector of a bench, alone with its adapter."""

    collector: Collector
    adapter: str
    folder: Path

    def count(self, name: str) -> int:
        return self.collector.counts.of(self.adapter)[name]

    def port(self, transport: str) -> int:
        return int(sockets.opened()[f"{self.adapter}:{transport}"].getsockname()[1])

    def drops(self) -> int:
        return counters.kernel_drops(sockets.opened()).get(f"{self.adapter}:udp", 0)

    async def all_published(self) -> None:
        await self.collector.flushed()

    async def send(self, transport: str, *, rate: float, count: int, lines: Sequence[bytes]) -> float:
        """Sends from a process of its own; returns the seconds it took."""
        file = self.folder / "lines.json"
        file.write_text(json.dumps([line.decode("latin-1") for line in lines]), encoding="utf-8")
        command = (
            "-m",
            "wardkeeper.cli.bench._sender",
            transport,
            str(self.port(transport)),
            str(rate),
            str(count),
        )
        sender = await asyncio.create_subprocess_exec(
            sys.executable, *command, str(file), stdout=asyncio.subprocess.PIPE
        )
        try:
            said, _ = await sender.communicate()
        finally:
            if sender.returncode is None:
                sender.kill()
                await sender.wait()
        return float(json.loads(said)["seconds"])


@asynccontextmanager
async def collecting(adapter: str, **config: Any) -> AsyncIterator[Bench]:
    """A collector of which only `adapter` runs, publishing to a NATS of its own that flushes every entry."""
    with tempfile.TemporaryDirectory(prefix="wardkeeper-bench-") as name, EmbeddedNats(Path(name)) as nats:
        given: dict[str, Mapping[str, Any]] = {
            name: {"enabled": False} for name, each in manifests().items() if each.kind is not Kind.POLLER
        }
        given[adapter] = {"port": 0, **config}
        settings = replace(
            load(data=Path(name)),
            bus=Bus(url=nats.url),
            adapters=given,
            secret_key=_SECRET,
        )
        uplink = Uplink(settings)
        publisher = Publisher(uplink.carrier, Spool(Path(name) / "spool", 256 << 20))
        collector = Collector(settings, publisher, uplink.assignments())
        running = asyncio.create_task(collector.run())
        try:
            await until(lambda: f"{adapter}:udp" in sockets.opened() or running.done())
            await collector.flushed()
            yield Bench(collector, adapter, Path(name))
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await publisher.close()
            await uplink.close()


async def until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    """Raises TimeoutError if it does not come true."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the bench waited in vain")
        await asyncio.sleep(0.01)
