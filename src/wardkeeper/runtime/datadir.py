"""The data directory: its rights, its lock, its small files."""

import contextlib
import fcntl
import os
import secrets
import shutil
from io import BufferedWriter
from pathlib import Path

from wardkeeper.runtime.errors import RefusalError

_LOG_LIMIT_BYTES = 16 << 20


def make(folder: Path) -> Path:
    """Creates the data directory if it is missing and returns its real path. Raises RefusalError.

    As root it can be passed through (0711) but not listed, because PostgreSQL runs as another user;
    each secret in it is 0600. One that exists keeps its rights.
    """
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if not folder.is_dir():
            raise RefusalError(f"data directory {folder} is not a directory; choose another with --data")
        with (folder / f".write-{os.getpid()}").open("w") as probe:
            Path(probe.name).unlink()
    except OSError as error:
        raise RefusalError(
            f"data directory {folder} is not writable ({error.strerror}); choose another with --data"
        ) from error
    return folder.resolve()


class Lock:
    """Held by the one process that may use a folder; the kernel lets go of it when that process dies.

    A record lock (fcntl(2)), because a forked child does not inherit it: one that outlives us holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1

    def take(self) -> bool:
        """False if another process holds it."""
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # fcntl(2): EAGAIN or EACCES
            os.close(self._fd)
            self._fd = -1
            return False
        os.ftruncate(self._fd, 0)
        os.write(self._fd, f"{os.getpid()}\n".encode())
        return True

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def holder(self) -> str:
        """Process id of who holds it, for a message; empty if unknown."""
        with contextlib.suppress(OSError):
            return self.path.read_text().strip()
        return ""


def secret(path: Path) -> str:
    """The random text kept in `path` (0600), made at the first call. URL-safe, 256 bits."""
    with contextlib.suppress(FileNotFoundError):
        if text := path.read_text().strip():
            return text
    text = secrets.token_urlsafe(32)
    write(path, text, mode=0o600)
    return text


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replaces a small file in one step: a reader, or a crash, sees the old text or the new."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:  # noqa: PTH123 - by descriptor: the mode holds from the first byte
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def cap_log(path: Path) -> None:
    """Empties a full log that others write to, after copying it to `NAME.1`.

    They opened it for appending, so they go on at its new end; lines written during the copy are lost.
    """
    with contextlib.suppress(OSError):
        if path.stat().st_size > _LOG_LIMIT_BYTES:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            os.truncate(path, 0)


def open_log(path: Path) -> BufferedWriter:
    """For appending; a full one becomes `NAME.1`, replacing the one before."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")
