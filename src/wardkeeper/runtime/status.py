"""What the supervisor knows, for every process that wants to tell it: a small file written in place."""

import json
import os
import time
from pathlib import Path
from typing import Any

_SIZE_BYTES = 16 << 10
_TRIES = 5


class StatusFile:
    """`<data>/run/status`, of a fixed size: writing it needs no space, so a full disk can still be told."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "run" / "status"
        self._fd = -1

    def write(self, facts: dict[str, Any]) -> None:
        """Replaces the facts and stamps them with the time (`written_at`, seconds since 1970)."""
        if self._fd < 0:
            self.path.parent.mkdir(mode=0o711, exist_ok=True)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        text = json.dumps({**facts, "written_at": time.time()}).encode()
        os.pwrite(self._fd, text.ljust(_SIZE_BYTES), 0)

    def read(self) -> dict[str, Any] | None:
        """The facts last written, None if nothing was. Reads again if it met a half-written one."""
        for _ in range(_TRIES):
            try:
                facts: dict[str, Any] = json.loads(self.path.read_bytes().rstrip())
            except FileNotFoundError:
                return None
            except ValueError:
                time.sleep(0.005)
            else:
                return facts
        return None

    def remove(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self.path.unlink(missing_ok=True)
