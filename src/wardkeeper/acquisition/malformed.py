"""Keeps the last malformed inputs of an adapter for a person to look at, without what could name a patient."""

import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wardkeeper.acquisition.counters import write_atomically
from wardkeeper.acquisition.scrub import scrub_bytes

KEPT = 100
LONGEST_BYTES = 4096
_PER_SECOND = 20
"""More than this in a second are counted but not kept: a flood must not cost the listener its time."""


class Keeper:
    """The last KEPT malformed inputs in memory; `save` writes them to `<folder>/last.json` if there are new ones.

    Each is {"at": epoch seconds, "source", "reason", "size_bytes", "hex"}; `hex` is the
    scrubbed bytes, cut at LONGEST_BYTES.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._last: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._second = 0
        self._in_second = 0
        self._is_new = False

    def keep(self, raw: bytes, source: str, reason: str) -> None:
        at = self._clock()
        if int(at) != self._second:
            self._second, self._in_second = int(at), 0
        self._in_second += 1
        if self._in_second > _PER_SECOND:
            return
        shown = scrub_bytes(raw[:LONGEST_BYTES])
        self._last.append(
            {
                "at": round(at, 3),
                "source": source,
                "reason": reason,
                "size_bytes": len(raw),
                "hex": shown.hex(),
            }
        )
        self._is_new = True

    def save(self) -> None:
        if not self._is_new:
            return
        self._is_new = False
        write_atomically(
            self._folder / "last.json", json.dumps(list(self._last), indent=1).encode(), mode=0o600
        )
