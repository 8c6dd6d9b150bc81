"""Start: `up` on a stopped data directory until the ready line, then what all its processes cost while idle.

`first_ready_s` is the first start of all, with migrations; `ready_s` the median of three later ones; `stop_s` the
longest Ctrl-C. `idle_mb` is the sum of the proportional set sizes of all processes (memory that several share
counts once), `idle_cpu_share` their processor time over 30 s as a share of one core. Scale changes nothing: an
empty house is measured.
"""

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

_READY_LIMIT_S = 120.0
_SETTLE_S = 15.0
_IDLE_S = 30.0
_STARTS = 3

SETTINGS = {"idle_window_s": _IDLE_S, "starts": _STARTS}


class _Run(NamedTuple):
    process: subprocess.Popen[bytes]
    ready_s: float


def run(scale: float) -> dict[str, float]:
    """Figures of one machine; takes about a minute and a half."""
    del scale
    folder = Path(tempfile.mkdtemp(prefix="wk-bench-"))
    folder.chmod(0o711)
    try:
        ports = [_free_port() for _ in range(4)]
        with _up(folder, ports) as first:
            pass
        later, stops = [], []
        for _ in range(_STARTS):
            with _up(folder, ports) as again:
                later.append(again.ready_s)
                if len(later) == _STARTS:
                    time.sleep(_SETTLE_S)
                    idle_mb, idle_cpu_share = _idle(again.process.pid)
                stops.append(_stop(again.process))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "first_ready_s": first.ready_s,
        "ready_s": statistics.median(later),
        "stop_s": max(stops),
        "idle_mb": idle_mb,
        "idle_cpu_share": idle_cpu_share,
    }


@contextmanager
def _up(folder: Path, ports: list[int]) -> Iterator[_Run]:
    web, events, syslog, trap = ports
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("WARDKEEPER_", "DJANGO_"))
    }
    env |= {
        "WARDKEEPER_WEB_EVENTS_LISTEN": f"127.0.0.1:{events}",
        "WARDKEEPER_ADAPTERS_SYSLOG__PORT": str(syslog),
        "WARDKEEPER_ADAPTERS_SNMP_TRAP__PORT": str(trap),
    }
    command = [sys.executable, "-m", "wardkeeper", "up", "--data", str(folder / "house")]
    output = folder / "output.txt"
    started = time.monotonic()
    with output.open("wb") as sink:
        process = subprocess.Popen(  # our own command
            [*command, "--listen", f"127.0.0.1:{web}"],
            env=env,
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
        )
    try:
        while b"Wardkeeper is ready" not in output.read_bytes():
            if process.poll() is not None or time.monotonic() - started > _READY_LIMIT_S:
                raise RuntimeError(f"up did not become ready: {output.read_text()[-2000:]}")
            time.sleep(0.02)
        yield _Run(process, time.monotonic() - started)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> float:
    """Seconds from Ctrl-C to the end."""
    started = time.monotonic()
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    return time.monotonic() - started


def _idle(parent: int) -> tuple[float, float]:
    """Memory in MB and processor time over `_IDLE_S` as a share of one core, of `parent` and all below it."""
    first = psutil.Process(parent)
    family = [first, *first.children(recursive=True)]
    before = _processor_s(family)
    time.sleep(_IDLE_S)
    family = [first, *first.children(recursive=True)]
    share = (_processor_s(family) - before) / _IDLE_S
    total = 0
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += each.memory_full_info().pss
    return total / (1 << 20), max(0.0, share)


def _processor_s(family: list[psutil.Process]) -> float:
    """Of these and, as their parents have it, of their ended children."""
    total = 0.0
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
