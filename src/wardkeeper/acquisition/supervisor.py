"""The collector: runs listeners and polls, hands their facts to the bus, says how it is. `wardkeeper run collect`."""

import asyncio
import logging
import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import uvloop

from wardkeeper.acquisition import counters, registry, sockets, targets
from wardkeeper.acquisition.contract import ConfigError
from wardkeeper.acquisition.emission import AdapterEmit, Outbound
from wardkeeper.acquisition.listeners import Listeners
from wardkeeper.acquisition.malformed import Keeper
from wardkeeper.acquisition.registry import Kind
from wardkeeper.acquisition.scheduler import Scheduler
from wardkeeper.acquisition.uplink import Uplink
from wardkeeper.bus.publisher import Publisher
from wardkeeper.bus.spool import Spool
from wardkeeper.messages import CollectorStarted, TargetsAssigned
from wardkeeper.settings import Settings, current
from wardkeeper.settings.vault import Vault

log = logging.getLogger(__name__)

STATUS_S = 5.0
_LAST_FLUSH_S = 1.5
"""Less than the two seconds that the supervisor grants between SIGTERM and SIGKILL."""
_MOST_CANCELS = 5
_CANCEL_S = 0.2
_SHOWN_TROUBLES = 50


class Collector:
    """One process that collects. `run` until cancelled; then stops reading, and flushes what it has.

    publisher    where facts go; spools them while the bus is away
    assignments  what the server says this and other collectors watch
    """

    def __init__(
        self, settings: Settings, publisher: Publisher, assignments: AsyncIterator[TargetsAssigned]
    ) -> None:
        self._settings = settings
        self._publisher = publisher
        self._assignments = assignments
        self.counts = counters.Counters()
        self._outbound = Outbound(publisher)
        self._keepers: dict[str, Keeper] = {}
        self._emits: dict[str, AdapterEmit] = {}
        self._listeners = Listeners(emit_for=self.emit_for)
        vault = Vault(settings.secret_key)
        self._scheduler = Scheduler(emit_for=self.emit_for, open_secrets=vault.open)
        self._folder = settings.data_dir / "collect"
        self._version = -1
        self._drops: dict[str, int] = {}
        self._started_at = time.time()

    def emit_for(self, adapter: str) -> AdapterEmit:
        if adapter not in self._emits:
            keeper = self._keepers[adapter] = Keeper(self._folder / "malformed" / adapter)
            self._emits[adapter] = AdapterEmit(
                collector=self._settings.collect.name,
                outbound=self._outbound,
                counts=self.counts.of(adapter),
                keeper=keeper,
            )
        return self._emits[adapter]

    async def flushed(self) -> None:
        """Returns when all that has been emitted is durable."""
        await self._outbound.flush()

    async def run(self) -> None:
        sending = asyncio.create_task(self._outbound.run(), name="outbound")
        background: list[asyncio.Task[None]] = []
        try:
            self._outbound.put((CollectorStarted(collector=self._settings.collect.name),))
            self._listen()
            kept = targets.load(self._folder / "targets.json")
            if kept is not None:
                self._take(kept)
            background = [
                asyncio.create_task(self._obey(), name="assignments"),
                asyncio.create_task(self._tell(), name="status"),
            ]
            done, _ = await asyncio.wait(background, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._drops = counters.kernel_drops(sockets.opened())
            await self._listeners.stop()
            await self._scheduler.stop()
            for task in background:
                await _ended(task)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_FLUSH_S):
                    await self._outbound.flush()
            sending.cancel()
            self._write_down("stopped")

    def _listen(self) -> None:
        for problem in registry.problems(self._settings.adapters):
            log.error("listener.wrong_settings problem=%s", problem)
        for name, manifest in registry.manifests().items():
            is_wanted, given = registry.chosen(self._settings.adapters, name)
            if manifest.kind is Kind.POLLER or not is_wanted:
                continue
            try:
                self._listeners.start(registry.adapter(name), given)
            except (ConfigError, ImportError) as error:
                log.error("listener.refused adapter=%s error=%s", name, error)  # noqa: TRY400 - told in one line

    async def _obey(self) -> None:
        async for assigned in self._assignments:
            if assigned.collector != self._settings.collect.name or assigned.version <= self._version:
                continue
            await asyncio.to_thread(targets.save, self._folder / "targets.json", assigned)
            self._take(assigned)

    def _take(self, assigned: TargetsAssigned) -> None:
        self._version = assigned.version
        self._scheduler.assign(assigned.targets)
        log.info("targets.assigned version=%d targets=%d", assigned.version, len(assigned.targets))

    async def _tell(self) -> None:
        while True:
            self._write_down("running")
            await asyncio.sleep(STATUS_S)

    def _write_down(self, state: str) -> None:
        """How we are, and the last malformed inputs. A full disk must not stop collecting."""
        try:
            for keeper in self._keepers.values():
                keeper.save()
            counters.write_status(self._settings.data_dir / "run" / "collect.json", self._status(state))
        except OSError as error:
            log.error("collect.status_not_written error=%s", error)  # noqa: TRY400 - told in one line

    def _status(self, state: str) -> Mapping[str, Any]:
        """What health and the pages show of this collector. Counts are since its start, drops since the socket's."""
        return {
            "at": round(time.time(), 3),
            "collector": self._settings.collect.name,
            "state": state,
            "pid": os.getpid(),
            "started_at": round(self._started_at, 3),
            "targets": {"version": self._version, "count": len(self._scheduler)},
            "listeners": {
                name: {"state": each.state, "error": each.error, "restarts": each.restarts}
                for name, each in self._listeners.states.items()
            },
            "polls": dict(self._scheduler.counts),
            "troubles": dict(list(self._scheduler.troubles.items())[:_SHOWN_TROUBLES]),
            "counts": self.counts.as_table(),
            # Of sockets that are closed by now: what was last seen.
            "kernel_drops": self._drops | counters.kernel_drops(sockets.opened()),
            "published": self._outbound.published,
            "waiting": self._outbound.waiting,
            "refused": self._publisher.refused,
            "spooled_bytes": self._publisher.spooled_bytes,
            "trouble": self._outbound.trouble,
        }


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels until it is over: asyncio.wait_for, which the bus's client uses, may swallow a cancellation."""
    for _ in range(_MOST_CANCELS):
        task.cancel()
        await asyncio.wait((task,), timeout=_CANCEL_S)
        if task.done():
            return
    log.warning("collect.task_left_behind task=%s", task.get_name())


async def collect(settings: Settings) -> None:
    """Runs the collector of `settings` until cancelled."""
    uplink = Uplink(settings)
    spool = Spool(settings.data_dir / "collect" / "spool", settings.collect.spool_mb << 20)
    publisher = Publisher(uplink.carrier, spool)
    await publisher.start()
    try:
        await Collector(settings, publisher, uplink.assignments()).run()
    finally:
        await publisher.close()
        await uplink.close()


async def _until_signalled(settings: Settings) -> None:
    running = asyncio.create_task(collect(settings))
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


def main() -> int:
    """`wardkeeper run collect`: 0 after SIGTERM or SIGINT."""
    # A poll holds a socket each; the usual soft limit of 1,024 is less than LIMIT and the TCP senders need.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_until_signalled(current()))
    return 0
