"""What the collector counts, and where others read it: `<data>/run/collect.json`, and the kernel's own drops."""

import json
import os
import socket
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TABLES = (Path("/proc/net/udp"), Path("/proc/net/udp6"))
# Columns of /proc/net/udp, split at white space: 9 is the inode, the last one is `drops`
# (linux/net/ipv4/udp.c, udp4_format_sock).
_INODE = 9


class Counters:
    """Counts by adapter and name. Names come from our code, never from input, so they stay few."""

    def __init__(self) -> None:
        self._by_adapter: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def of(self, adapter: str) -> Counter[str]:
        return self._by_adapter[adapter]

    def as_table(self) -> dict[str, dict[str, int]]:
        return {adapter: dict(sorted(counts.items())) for adapter, counts in sorted(self._by_adapter.items())}


def kernel_drops(sockets: Mapping[str, socket.socket]) -> dict[str, int]:
    """Datagrams that the kernel threw away because a socket's buffer was full, by the names given.

    Counted since the socket was opened, so a restarted collector still sees what its
    predecessor missed. Empty where there is no /proc (not Linux).
    """
    wanted = {os.fstat(each.fileno()).st_ino: name for name, each in sockets.items() if each.fileno() >= 0}
    found: dict[str, int] = {}
    for table in _TABLES:
        if not table.exists():
            continue
        for line in table.read_text("ascii").splitlines()[1:]:
            columns = line.split()
            name = wanted.get(int(columns[_INODE]))
            if name is not None:
                found[name] = int(columns[-1])
    return found


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Readers see the old file or the new one, never half of it; after a power cut too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write_status(path: Path, status: Mapping[str, Any]) -> None:
    write_atomically(path, json.dumps(status, ensure_ascii=False, indent=1).encode())
