"""One role of the system as a child process: started, watched, restarted with back-off."""

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from wardkeeper.runtime import child, datadir

log = logging.getLogger(__name__)

RUN = "run"
"""Folder below the data directory in which roles work; the next start knows its orphans by it."""
READY_FD = "WARDKEEPER_INTERNAL_READY_FD"
_BACK_OFF_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_PROVEN_AFTER_S = 60.0
_LAST_WORDS_BYTES = 400


class State(StrEnum):
    STOPPED = "stopped"
    STARTING = "starting"
    UP = "up"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Role:
    """What to run: `command`, or `call` in a forked copy of the supervisor.

    command      needs the memory of a program of its own, gets `env` and `pass_fds`
    call         returns its exit status; all it imports should be imported before the fork
    says_ready   it writes a byte to the descriptor named by READY_FD when it can do its work
    is_ready     otherwise asked, until it says so
    grace_s      between SIGTERM and SIGKILL
    """

    name: str
    command: tuple[str, ...] = ()
    call: Callable[[], int] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    says_ready: bool = False
    is_ready: Callable[[], bool] | None = None
    grace_s: float = 2.0


class RoleProcess:
    """Keeps one role alive. The supervisor calls `tend` often; nothing here blocks."""

    def __init__(self, role: Role, *, data_dir: Path) -> None:
        self.role = role
        self.state = State.STOPPED
        self.restarts = 0
        self.log_path = data_dir / "log" / f"{role.name}.log"
        self._folder = data_dir / RUN
        self._process: child.Process | None = None
        self._ready_pipe = -1
        self._failures = 0
        self._started_at = 0.0
        self._again_at = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Launches it. Call from the main thread."""
        said = -1
        if self.role.says_ready:
            self._ready_pipe, said = os.pipe()
            os.set_blocking(self._ready_pipe, False)
        try:
            self._process = self._launch(said)
        finally:
            if said >= 0:
                os.close(said)
        self.state = State.STARTING
        self._started_at = time.monotonic()
        log.info("role.started", extra={"role": self.role.name, "pid": self._process.pid})

    def tend(self) -> None:
        """Notices its death and its readiness, and starts it again when its pause is over."""
        now = time.monotonic()
        if self.state is State.WAITING:
            if now >= self._again_at:
                self._start_again(now)
            return
        if self._process is None:
            return
        if (status := self._process.poll()) is not None:
            self._bury(status, now)
        elif self.state is State.STARTING and self._is_ready():
            self.state = State.UP
            log.info("role.ready", extra={"role": self.role.name, "after_s": f"{now - self._started_at:.2f}"})

    def next_at(self) -> float | None:
        """When `tend` has something to do by the clock (monotonic seconds)."""
        return self._again_at if self.state is State.WAITING else None

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def finish(self, *, deadline: float) -> None:
        """Waits until `deadline` (monotonic seconds) for it to end, then kills what is left of it."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(max(0.0, deadline - time.monotonic()))
            if self._process.poll() is None:
                log.warning("role.killed", extra={"role": self.role.name, "pid": self._process.pid})
            child.kill_group(self._process.pid)
            self._process.wait()
            self._process = None
        self._close_pipe()
        self.state = State.STOPPED

    def _start_again(self, now: float) -> None:
        self.restarts += 1
        try:
            self.start()
        except OSError as error:  # a full disk, no more processes: it may pass
            self._close_pipe()
            self._wait_longer(now)
            log.warning("role.failed", extra={"role": self.role.name, "reason": str(error)})

    def _wait_longer(self, now: float) -> float:
        """Goes to the next pause, and returns its seconds."""
        pause = _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
        self._failures += 1
        self._again_at = now + pause
        self.state = State.WAITING
        return pause

    def _launch(self, said: int) -> child.Process:
        """`said`: the descriptor for READY_FD, -1 for none."""
        ready = {READY_FD: str(said)} if said >= 0 else {}
        with datadir.open_log(self.log_path) as output:
            if call := self.role.call:

                def run() -> int:
                    os.environ.update({**self.role.env, **ready})
                    return call()

                return child.fork(run, name=f"wk-{self.role.name}", cwd=self._folder, output=output)
            env = {**os.environ, **self.role.env, **ready}
            pass_fds = [*self.role.pass_fds, *((said,) if said >= 0 else ())]
            return child.spawn(self.role.command, env=env, output=output, pass_fds=pass_fds, cwd=self._folder)

    def _bury(self, status: int, now: float) -> None:
        if self._process is not None:
            child.kill_group(self._process.pid)  # its workers would keep the port
        self._process = None
        self._close_pipe()
        if now - self._started_at >= _PROVEN_AFTER_S:
            self._failures = 0
        pause = self._wait_longer(now)
        facts = {
            "role": self.role.name,
            "status": status,
            "again_in_s": pause,
            "last_words": self._last_words(),
        }
        log.warning("role.died", extra=facts)

    def _is_ready(self) -> bool:
        if self._ready_pipe >= 0:
            try:
                said = os.read(self._ready_pipe, 1)
            except BlockingIOError:
                return False
            return bool(said)
        return self.role.is_ready is None or self.role.is_ready()

    def _close_pipe(self) -> None:
        if self._ready_pipe >= 0:
            os.close(self._ready_pipe)
            self._ready_pipe = -1

    def _last_words(self) -> str:
        with contextlib.suppress(OSError), self.log_path.open("rb") as file:
            file.seek(max(0, self.log_path.stat().st_size - _LAST_WORDS_BYTES))
            return file.read().decode(errors="replace").strip().rpartition("\n")[2]
        return ""


def say_ready() -> None:
    """Called by a role that `says_ready`, once. Does nothing without a supervisor."""
    if number := os.environ.pop(READY_FD, ""):
        os.write(int(number), b"1")
        os.close(int(number))
