"""Keeps the listening adapters running: restarted with back-off when they raise, down when misconfigured."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wardkeeper.acquisition.contract import ConfigError, PacedEmit
from wardkeeper.acquisition.registry import Adapter

log = logging.getLogger(__name__)

BACK_OFF_S = (0.1, 0.5, 2.0, 10.0, 30.0)
_CALM_S = 60.0
"""After running this long a failure is a new one: the back-off begins anew."""


@dataclass(slots=True)
class State:
    """`state` is running, restarting or misconfigured; `error` why it is not running."""

    state: str = "running"
    error: str = ""
    restarts: int = 0


class Listeners:
    """One task per listening adapter."""

    def __init__(self, *, emit_for: Callable[[str], PacedEmit]) -> None:
        self._emit_for = emit_for
        self._tasks: list[asyncio.Task[None]] = []
        self.states: dict[str, State] = {}

    def start(self, adapter: Adapter, given: Mapping[str, Any]) -> None:
        """`given` is the adapter's section of the settings file, without `enabled`."""
        name = adapter.manifest.name
        self.states[name] = State()
        self._tasks.append(asyncio.create_task(self._keep(adapter, given), name=f"listen {name}"))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, adapter: Adapter, given: Mapping[str, Any]) -> None:
        name = adapter.manifest.name
        state = self.states[name]
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                await adapter.listen(adapter.configured(given), self._emit_for(name))
                state.error = "ended by itself"
            except ConfigError as error:
                state.state, state.error = "misconfigured", str(error)
                log.error("listener.misconfigured adapter=%s error=%s", name, error)  # noqa: TRY400 - told in one line
                return
            except Exception as error:
                state.error = f"{type(error).__name__}: {error}"
                log.exception("listener.failed adapter=%s", name)
            if time.monotonic() - began > _CALM_S:
                attempt = 0
            state.state = "restarting"
            state.restarts += 1
            await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
            attempt += 1
            state.state = "running"
