"""Polls each target at its interval: a steady phase, never two polls of one target at once, none delayed by another."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from wardkeeper.acquisition import registry
from wardkeeper.acquisition.contract import ConfigError, Device, Emit
from wardkeeper.acquisition.registry import Adapter
from wardkeeper.messages import Target

log = logging.getLogger(__name__)

LIMIT = 1000
"""Polls at once. 5,000 targets a minute, all dead for 10 s each, need 833."""
LONGEST_POLL_S = 20.0
_SHARE_OF_INTERVAL = 0.8
_FIRST_PER_S = 100
"""At the start the first polls are spread so that no more than this many begin in a second."""


def phase_of(target: str, interval_s: float) -> float:
    """Where in the interval this target is polled, 0 <= phase < interval_s; the same on every run and machine."""
    share = int.from_bytes(blake2b(target.encode(), digest_size=6).digest()) / (1 << 48)
    return share * interval_s


def until_slot(now: float, interval_s: float, phase_s: float) -> float:
    """Seconds from `now` to the next moment that is `phase_s` past a whole interval; 0 < wait <= interval_s."""
    return interval_s - (now - phase_s) % interval_s


def timeout_of(interval_s: float) -> float:
    """What a poll may take, so that it never reaches its own next slot."""
    return min(interval_s * _SHARE_OF_INTERVAL, LONGEST_POLL_S)


@dataclass(slots=True)
class _Watched:
    target: Target
    task: asyncio.Task[None]


class Scheduler:
    """Holds one task per target. `assign` replaces the whole list; unchanged targets go on undisturbed.

    emit_for      the Emit of an adapter, by its name
    open_secrets  sealed text -> secrets; may raise VaultError
    load          name -> Adapter; may raise ConfigError
    """

    def __init__(
        self,
        *,
        emit_for: Callable[[str], Emit],
        open_secrets: Callable[[str], Mapping[str, str]],
        load: Callable[[str], Adapter] = registry.adapter,
        limit: int = LIMIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._emit_for = emit_for
        self._open_secrets = open_secrets
        self._load = load
        self._slots = asyncio.Semaphore(limit)
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self.counts: Counter[str] = Counter()
        self.troubles: dict[str, str] = {}
        """Targets whose last poll could not be made or raised, and why."""

    def __len__(self) -> int:
        return len(self._watched)

    def assign(self, targets: Iterable[Target]) -> None:
        wanted = {each.id: each for each in targets}
        for gone in [name for name, each in self._watched.items() if wanted.get(name) != each.target]:
            self._drop(gone)
        fresh = [each for name, each in wanted.items() if name not in self._watched]
        spread_s = len(fresh) / _FIRST_PER_S
        for target in fresh:
            first_in_s = min(random.random() * spread_s, target.interval_s)  # noqa: S311 - spreads load, keeps no secret
            task = asyncio.create_task(self._watch(target, first_in_s), name=f"poll {target.id}")
            self._watched[target.id] = _Watched(target, task)

    async def stop(self) -> None:
        tasks = [each.task for each in self._watched.values()]
        self._watched.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _drop(self, name: str) -> None:
        watched = self._watched.pop(name)
        watched.task.cancel()
        self.troubles.pop(name, None)
        try:
            self._load(watched.target.adapter).forget(name)
        except ConfigError:
            log.debug("poll.forgotten_without_adapter target=%s adapter=%s", name, watched.target.adapter)

    async def _watch(self, target: Target, first_in_s: float) -> None:
        try:
            adapter = self._load(target.adapter)
            device = self._device(target)
        except Exception as error:  # noqa: BLE001 - a supervisor loop: a bad target or adapter must not hurt others
            self._refuse(target, error)
            return
        emit = self._emit_for(target.adapter)
        phase_s = phase_of(target.id, target.interval_s)
        await asyncio.sleep(first_in_s)
        while True:
            began_at = self._clock()
            async with self._slots:
                self.counts["late_ms"] = max(self.counts["late_ms"], int((self._clock() - began_at) * 1000))
                if not await self._poll(adapter, device, emit):
                    return
            now = self._clock()
            # A target polled late must not be polled again at once: rates over a short
            # stretch are noise. It rejoins its phase at the slot after.
            early = now + max(0.0, target.interval_s / 2 - (now - began_at))
            wait_s = early - now + until_slot(early, target.interval_s, phase_s)
            self.counts["skipped"] += int((now - began_at) // target.interval_s)
            await asyncio.sleep(wait_s)

    def _device(self, target: Target) -> Device:
        config: dict[str, Any] = {**target.config, **self._open_secrets(target.secrets)}
        return Device(
            target=target.id,
            ci=target.ci,
            interval_s=target.interval_s,
            timeout_s=timeout_of(target.interval_s),
            config=config,
        )

    async def _poll(self, adapter: Adapter, device: Device, emit: Emit) -> bool:
        """One poll within its time. False: the configuration is wrong, polling again is no use."""
        self.counts["polls"] += 1
        try:
            async with asyncio.timeout(device.timeout_s):
                await adapter.ask(device, emit)
        except ConfigError as error:
            self.counts["misconfigured"] += 1
            self.troubles[device.target] = str(error)
            log.warning("poll.misconfigured target=%s error=%s", device.target, error)
            return False
        except TimeoutError:
            self.counts["timed_out"] += 1
            self._trouble(device.target, f"no result within {device.timeout_s:.0f} s")
        except Exception as error:  # noqa: BLE001 - a supervisor loop: one device's surprise must not stop its next poll
            self.counts["failed"] += 1
            self._trouble(device.target, f"{type(error).__name__}: {error}")
        else:
            self.troubles.pop(device.target, None)
        return True

    def _refuse(self, target: Target, error: Exception) -> None:
        self.counts["misconfigured"] += 1
        self.troubles[target.id] = f"{type(error).__name__}: {error}"
        log.error("poll.refused target=%s adapter=%s error=%s", target.id, target.adapter, error)

    def _trouble(self, target: str, text: str) -> None:
        if self.troubles.get(target) != text:
            log.warning("poll.failed target=%s error=%s", target, text)
        self.troubles[target] = text
