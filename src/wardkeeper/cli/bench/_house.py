"""A whole `wardkeeper up` on free ports and an empty data directory, for benches that measure from outside."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_READY_S = 180.0
_STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class House:
    """`environment` lets a child of ours find the same data directory; `trap_port` is where traps go."""

    url: str
    environment: dict[str, str]
    trap_port: int

    def call(self, *words: str, timeout_s: float = 1800) -> str:
        """Runs a Python module or command of ours beside the house; its output. Raises CalledProcessError."""
        done = subprocess.run(
            [sys.executable, "-m", *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            timeout=timeout_s,
            check=True,
        )
        return done.stdout.decode()

    def token(self) -> str:
        return self.call("wardkeeper", "token", "create", "admin").splitlines()[-1]


@contextmanager
def running() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="wk-bench-"))
    folder.chmod(0o711)  # PostgreSQL runs as another account when we are root
    web, events, syslog, trap = (_free_port() for _ in range(4))
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("WARDKEEPER_", "DJANGO_"))
    }
    environment = kept | {
        "WARDKEEPER_DATA": str(folder / "house"),
        "WARDKEEPER_WEB_LISTEN": f"127.0.0.1:{web}",
        "WARDKEEPER_WEB_EVENTS_LISTEN": f"127.0.0.1:{events}",
        "WARDKEEPER_ADAPTERS_SYSLOG__PORT": str(syslog),
        "WARDKEEPER_ADAPTERS_SNMP_TRAP__PORT": str(trap),
    }
    output = (folder / "output.txt").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "wardkeeper", "up"], env=environment, stdout=output, stderr=output
    )
    try:
        _wait(process, folder / "output.txt")
        yield House(f"http://127.0.0.1:{web}", environment, trap)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        output.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], output: Path) -> None:
    until = time.monotonic() + _READY_S
    while b"is ready at" not in output.read_bytes():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(output.read_text("utf-8", "replace")[-2000:])
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
