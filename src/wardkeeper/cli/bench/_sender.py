"""Sends datagrams or lines at a given rate, as a process of its own; prints how many and how long it took."""

import json
import socket
import sys
import time
from pathlib import Path

_TICK_S = 0.002


def main() -> None:
    """Arguments: udp|tcp, port, rate a second (0: as fast as it goes), count, file of lines in JSON (latin-1)."""
    transport, port, rate, count, file = sys.argv[1:]
    lines = [line.encode("latin-1") for line in json.loads(Path(file).read_text(encoding="utf-8"))]
    began = time.perf_counter()
    if transport == "udp":
        _datagrams(lines, ("127.0.0.1", int(port)), float(rate), int(count))
    else:
        _stream(lines, ("127.0.0.1", int(port)), float(rate), int(count))
    print(json.dumps({"sent": int(count), "seconds": time.perf_counter() - began}))


def _due(began: float, rate: float, sent: int, count: int) -> int:
    """How many to send now to keep the rate."""
    if not rate:
        return min(1000, count - sent)
    return min(int((time.perf_counter() - began) * rate) - sent, count - sent)


def _datagrams(lines: list[bytes], target: tuple[str, int], rate: float, count: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(target)
        began, sent = time.perf_counter(), 0
        while sent < count:
            due = _due(began, rate, sent, count)
            for number in range(sent, sent + due):
                sender.send(lines[number % len(lines)])
            sent += due
            if due <= 0:
                time.sleep(_TICK_S)


def _stream(lines: list[bytes], target: tuple[str, int], rate: float, count: int) -> None:
    with socket.create_connection(target) as sender:
        began, sent = time.perf_counter(), 0
        while sent < count:
            due = _due(began, rate, sent, count)
            sender.sendall(b"".join(lines[number % len(lines)] + b"\n" for number in range(sent, sent + due)))
            sent += due
            if due <= 0:
                time.sleep(_TICK_S)


if __name__ == "__main__":
    main()
