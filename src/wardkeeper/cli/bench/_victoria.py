"""VictoriaMetrics as a peer, loaded with the same values: Debian's `victoria-metrics`, in a folder that goes away."""

import contextlib
import http.client
import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wardkeeper.cli.bench._samples_data import TICK_MS, WIDTH

PROGRAM = "victoria-metrics"
SENDERS = 2
LINES = 5000
TICKS_AT_ONCE = 60
_START_LIMIT_S = 20.0


def measure(
    devices: Sequence[npt.NDArray[np.float64]], start_ms: int, picks: Sequence[int]
) -> dict[str, float]:
    """Its figures for the same load and the same questions; none if it is not installed.

    Payloads are rendered before the clock runs, as our messages are.
    """
    if shutil.which(PROGRAM) is None:
        return {}
    ticks = len(devices[0])
    values = np.concatenate(devices, axis=1)
    with _server() as (port, folder):
        spent_s = 0.0
        for first in range(0, ticks, TICKS_AT_ONCE):
            bodies = _bodies(values[first : first + TICKS_AT_ONCE], start_ms + first * TICK_MS)
            began_s = time.perf_counter()
            _send(port, bodies)
            spent_s += time.perf_counter() - began_s
        _ask(port, "/internal/force_flush")
        _ask(port, "/internal/force_merge")
        size = _settled_size(folder)
        end_s = (start_ms + (ticks - 1) * TICK_MS) // 1000
        took_ms = [_one_series(port, pick, end_s) for pick in picks]
    return {
        "victoria_stored_per_s": values.size / spent_s,
        "victoria_bytes_per_sample": size / values.size,
        "victoria_series_24h_p50_ms": statistics.median(took_ms),
    }


def _bodies(values: npt.NDArray[np.float64], start_ms: int) -> list[list[bytes]]:
    """For each sender its requests in order; a series always goes by the same sender."""
    heads = [f'm{{device="d{at // WIDTH}",item="k{at}"}} ' for at in range(values.shape[1])]
    bodies: list[list[bytes]] = [[] for _ in range(SENDERS)]
    for tick, row in enumerate(values.tolist()):
        tail = f" {start_ms + tick * TICK_MS}\n"
        lines = [f"{head}{value!r}{tail}" for head, value in zip(heads, row, strict=True)]
        for number, first in enumerate(range(0, len(lines), LINES)):
            bodies[number % SENDERS].append("".join(lines[first : first + LINES]).encode())
    return bodies


def _send(port: int, bodies: Sequence[Sequence[bytes]]) -> None:
    refused: list[int] = []

    def post(mine: Sequence[bytes]) -> None:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for body in mine:
            link.request("POST", "/api/v1/import/prometheus", body)
            answer = link.getresponse()
            answer.read()
            if answer.status // 100 != 2:  # noqa: PLR2004 - HTTP's class of success
                refused.append(answer.status)
        link.close()

    senders = [threading.Thread(target=post, args=(mine,)) for mine in bodies]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    if refused:
        raise RuntimeError(f"{PROGRAM} answered {refused[0]}")


def _one_series(port: int, pick: int, end_s: int) -> float:
    query = {"query": f'm{{item="k{pick}"}}', "start": end_s - 86_400, "end": end_s, "step": 60}
    began_s = time.perf_counter()
    found = json.loads(_ask(port, "/api/v1/query_range", query))["data"]["result"]
    took_ms = (time.perf_counter() - began_s) * 1000
    if len(found) != 1:
        raise RuntimeError(f"{PROGRAM} does not know series {pick}")
    return took_ms


def _ask(port: int, path: str, query: dict[str, object] | None = None) -> bytes:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("GET", f"{path}?{urllib.parse.urlencode(query or {})}")
    answer = link.getresponse()
    said = answer.read()
    link.close()
    if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise RuntimeError(f"{path}: {answer.status}")
    return said


def _settled_size(folder: Path) -> int:
    """Bytes on disk once merging has ended: two looks a second apart agree, for 15 s at most."""
    before, deadline_s = -1, time.monotonic() + 15
    while True:
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if size == before or time.monotonic() > deadline_s:
            return size
        before = size
        time.sleep(1)


@contextlib.contextmanager
def _server() -> Iterator[tuple[int, Path]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="wk-peer-") as folder:
        process = subprocess.Popen(
            [
                PROGRAM,
                f"-storageDataPath={folder}/data",
                f"-httpListenAddr=127.0.0.1:{port}",
                "-retentionPeriod=12",
                "-search.latencyOffset=0s",
                "-search.disableCache",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port)
            yield port, Path(folder, "data")
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int) -> None:
    deadline_s = time.monotonic() + _START_LIMIT_S
    while True:
        try:
            _ask(port, "/health")
        except (OSError, RuntimeError):
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
        else:
            return
