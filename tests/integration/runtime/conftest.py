"""Starts houses of stand-in roles and ends them with the test."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

SLEEPER = "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: exit(0))\nwhile True: time.sleep(60)"
_STAND = str(Path(__file__).with_name("stand.py"))


def wait_for(condition: Callable[[], Any], *, within_s: float = 20.0, what: str = "") -> Any:
    """What `condition` returns once it is true; fails after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what or condition}")
        time.sleep(0.02)


def sleeper(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "command": [sys.executable, "-S", "-c", SLEEPER], **fields}


@dataclass
class Stand:
    """One run of a house. `family` is it and all it started, by process id."""

    data_dir: Path
    process: subprocess.Popen[str]
    output: Path
    family: set[int] = field(default_factory=set)

    def wait_ready(self, *, within_s: float = 40.0) -> None:
        def is_ready() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"ended with {self.process.returncode}: {self.text()}")
            return "ready" in (line.strip() for line in self.text().splitlines())

        wait_for(is_ready, within_s=within_s, what="the ready line")
        self.family = {self.process.pid} | {
            child.pid for child in psutil.Process(self.process.pid).children(recursive=True)
        }

    def text(self) -> str:
        return self.output.read_text()

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.data_dir / "run" / "status").read_bytes().rstrip())
        return facts

    def role_pid(self, name: str) -> int:
        return int(self.facts()["roles"][name]["pid"] or 0)

    def engine_pid(self, program: str) -> int:
        for child in psutil.Process(self.process.pid).children():
            if child.name().startswith(program):
                return child.pid
        pytest.fail(f"no {program} runs")

    def stop(self, number: signal.Signals = signal.SIGINT) -> float:
        """Seconds until everything has ended."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        took = time.monotonic() - started
        assert not self.survivors()
        return took

    def survivors(self) -> set[int]:
        return {pid for pid in self.family if is_alive(pid)}

    def kill_everything(self) -> None:
        for pid in self.family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def launch(data_dir: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., Stand]]:
    """Starts a house on `data_dir` with the given roles, not yet ready."""
    started: list[Stand] = []
    port = free_port()

    def begin(*roles: dict[str, Any], env: dict[str, str] | None = None, folder: Path = data_dir) -> Stand:
        number = len(started)
        roles_file = data_dir / f"roles-{number}.json"
        roles_file.write_text(json.dumps(roles))
        output = data_dir / f"output-{number}.txt"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("WARDKEEPER_")}
        listen = {
            "WARDKEEPER_WEB_LISTEN": f"127.0.0.1:{port}",
            "WARDKEEPER_WEB_EVENTS_LISTEN": f"127.0.0.1:{free_port()}",
        }
        with output.open("w") as sink:
            process = subprocess.Popen(
                [sys.executable, _STAND, str(folder / "house"), str(roles_file)],
                env={**inherited, **listen, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                text=True,
            )
        stand = Stand(folder / "house", process, output)
        started.append(stand)
        return stand

    yield begin
    for stand in started:
        if stand.process.poll() is None:
            stand.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                stand.process.wait(15)
        stand.kill_everything()
        if stand.process.poll() is None:
            stand.process.kill()
            stand.process.wait()
    # What was orphaned on purpose goes within a second of its postmaster; the folder is removed next.
    wait_for(lambda: not any(stand.survivors() for stand in started))
