"""Watches engines and roles: starts the dead again, tells their state, stops all in order."""

import contextlib
import logging
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from wardkeeper.runtime import datadir
from wardkeeper.runtime.engine import Pulse
from wardkeeper.runtime.errors import EngineError, RefusalError
from wardkeeper.runtime.role import Role, RoleProcess, State
from wardkeeper.runtime.status import StatusFile

log = logging.getLogger(__name__)

_TICK_S = 5.0
_WHILE_STARTING_S = 0.05
# One that says itself that it cannot work is restarted soon; one that does not answer may have a slow disk.
_PATIENCE_TICKS = {Pulse.BROKEN: 3, Pulse.MUTE: 12}
_ENGINE_BACK_OFF_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
DISK_LOW_BYTES = 512 << 20
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Engine(Protocol):
    """EmbeddedPostgres and EmbeddedNats."""

    @property
    def pid(self) -> int | None: ...
    def start(self) -> str: ...
    def stop(self) -> None: ...
    def pulse(self) -> Pulse: ...


class _WatchedEngine:
    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.engine = engine
        self.state = State.UP
        self.restarts = 0
        self._misses: dict[Pulse, int] = {}
        self._failures = 0
        self._again_at = 0.0

    def tend(self, *, is_tick: bool) -> None:
        """Restarts it if it died or stayed ill; between ticks only looks whether its process lives."""
        if self.engine.pid is not None and is_tick:
            self._feel(self.engine.pulse())
        ill = any(self._misses.get(pulse, 0) >= limit for pulse, limit in _PATIENCE_TICKS.items())
        if (self.engine.pid is None or ill) and time.monotonic() >= self._again_at:
            self._start_again(reason="ill" if self.engine.pid else "died")

    def _feel(self, pulse: Pulse) -> None:
        if pulse in {Pulse.BEATS, Pulse.BUSY}:
            self._misses.clear()
            self._failures = 0
            self.state = State.UP if pulse is Pulse.BEATS else State.STARTING
            return
        self._misses[pulse] = self._misses.get(pulse, 0) + 1
        self.state = State.STARTING
        log.warning("engine.ill", extra={"engine": self.name, "pulse": pulse, "times": self._misses[pulse]})

    def next_at(self) -> float | None:
        return self._again_at if self.engine.pid is None else None

    def _start_again(self, *, reason: str) -> None:
        self.state = State.WAITING
        log.warning("engine.restarting", extra={"engine": self.name, "reason": reason})
        self.engine.stop()
        self._misses.clear()
        try:
            self.engine.start()
        except (EngineError, RefusalError, OSError) as error:
            self._failures = min(self._failures + 1, len(_ENGINE_BACK_OFF_S) - 1)
            self._again_at = time.monotonic() + _ENGINE_BACK_OFF_S[self._failures]
            log.warning("engine.failed", extra={"engine": self.name, "error": str(error)})
        else:
            self.restarts += 1
            self.state = State.UP
            log.info("engine.restarted", extra={"engine": self.name, "pid": self.engine.pid})


class Supervisor:
    """Runs until a stop signal. Engines are already running when it takes over, roles are not.

    stop_order   names of roles, group after group; the members of a group stop side by side
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        engines: Mapping[str, Engine],
        roles: Sequence[Role],
        stop_order: Sequence[Sequence[str]],
    ) -> None:
        self._data_dir = data_dir
        self._engines = [_WatchedEngine(name, engine) for name, engine in engines.items()]
        self._roles = {role.name: RoleProcess(role, data_dir=data_dir) for role in roles}
        self._stop_order = stop_order
        self._status = StatusFile(data_dir)
        self._stops = 0
        self._waker = -1

    def run(self, *, on_ready: Callable[[], None]) -> None:
        """Starts the roles and keeps everything running; `on_ready` is called once, when all are up."""
        with self._signals() as wake:
            announced = False
            tick_at = 0.0
            for role in self._roles.values():
                role.start()
            try:
                while not self._stops:
                    is_tick = time.monotonic() >= tick_at
                    changed = self._tend(is_tick=is_tick)
                    if is_tick:
                        tick_at = time.monotonic() + _TICK_S
                    if changed or is_tick:
                        self._tell()
                    if not announced and self._is_up():
                        announced = True
                        on_ready()
                    self._sleep(wake, tick_at)
            finally:
                self.stop_roles()
                self._status.remove()

    def _tell(self) -> None:
        with contextlib.suppress(OSError):  # its first blocks may find no room; the next tick tries again
            self._status.write(self.facts())
        for path in (self._data_dir / "log").glob("*.log"):
            datadir.cap_log(path)

    def facts(self) -> dict[str, Any]:
        """State of everything, as `health` reads it."""
        free = shutil.disk_usage(self._data_dir).free
        return {
            "pid": os.getpid(),
            "engines": {one.name: {"state": one.state, "restarts": one.restarts} for one in self._engines},
            "roles": {
                name: {"state": role.state, "restarts": role.restarts, "pid": role.pid}
                for name, role in self._roles.items()
            },
            "disk_free_bytes": free,
        }

    def stop_roles(self) -> None:
        """Group after group: SIGTERM, its grace, SIGKILL. A second stop signal ends the patience."""
        groups = [[self._roles[name] for name in names if name in self._roles] for names in self._stop_order]
        for group in groups:
            for process in group:
                process.ask_to_stop()
            started = time.monotonic()
            for process in group:
                grace = 0.0 if self._stops > 1 else process.role.grace_s
                process.finish(deadline=started + grace)
                log.info("role.stopped", extra={"role": process.role.name})

    def _tend(self, *, is_tick: bool) -> bool:
        before = [one.state for one in self._engines], [role.state for role in self._roles.values()]
        for one in self._engines:
            one.tend(is_tick=is_tick)
        for role in self._roles.values():
            role.tend()
        return before != ([one.state for one in self._engines], [role.state for role in self._roles.values()])

    def _is_up(self) -> bool:
        return all(role.state is State.UP for role in self._roles.values())

    def _sleep(self, wake: int, tick_at: float) -> None:
        """Until a child dies, a signal comes, or the clock gives something to do."""
        times = [tick_at]
        times += [at for one in self._engines if (at := one.next_at()) is not None]
        times += [at for role in self._roles.values() if (at := role.next_at()) is not None]
        timeout = max(0.0, min(times) - time.monotonic())
        if any(role.state is State.STARTING for role in self._roles.values()):
            timeout = min(timeout, _WHILE_STARTING_S)
        # SIGCHLD writes to `wake` too: Python's wakeup descriptor takes every signal that has a handler.
        select.select([wake], [], [], timeout)
        with contextlib.suppress(BlockingIOError):
            while os.read(wake, 4096):
                pass

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        wake, waker = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waker, False)
        before = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, self._on_stop) for number in _STOP_SIGNALS}
        handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            yield wake
        finally:
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(wake)
            os.close(waker)

    def _on_stop(self, number: int, _frame: object) -> None:
        self._stops += 1
        if self._stops == 1:
            log.info("supervisor.stopping", extra={"signal": signal.Signals(number).name})
