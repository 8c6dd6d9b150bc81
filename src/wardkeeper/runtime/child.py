"""Starts and ends child processes so that none outlives its parent."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_prctl: Callable[..., int] | None = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a child runs as, if not as ourselves."""

    uid: int
    gid: int

    @classmethod
    def named(cls, *names: str) -> "Account":
        """The first of `names` that the machine knows. Raises LookupError."""
        for name in names:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        raise LookupError(f"no account named {' or '.join(names)} on this machine")


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    output: IO[bytes] | int | None = None,
    pass_fds: Iterable[int] = (),
    cwd: Path | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """A child in a session of its own, so that the terminal's Ctrl-C reaches only us.

    The kernel sends it `death_signal` when the calling *thread* ends: call from the main thread.
    `output` takes both of its streams; None leaves it ours.
    """
    parent = os.getpid()

    def tie() -> None:
        # Runs after the change of account, which would clear it again.
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:  # died between fork and prctl: nobody will send the signal
                os._exit(1)

    return subprocess.Popen(
        list(command),
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=tuple(pass_fds),
        cwd=cwd,
        start_new_session=True,
        preexec_fn=tie,  # noqa: PLW1509 - only prctl and getppid, bound before the fork
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def end(process: subprocess.Popen[bytes], *, steps: Sequence[tuple[signal.Signals, float]]) -> int:
    """Sends each signal in turn and waits its seconds, then kills the whole group. Returns the exit status."""
    for number, wait_s in steps:
        if process.poll() is not None:
            break
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
    kill_group(process.pid)
    return process.wait()


def kill_group(leader: int) -> None:
    """Kills what is left of a child's session; its grandchildren have no other parent to do it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def processes() -> Iterator[int]:
    """Ids of all processes that we may see."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - a Path for each would double the cost of the scan
        if name.isdigit():
            yield int(name)


def end_strangers(pids: Sequence[int], *, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Ends processes that are not our children (an earlier life's), by pidfd so that no reused id is hit."""
    handles = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            handles.append((pid, os.pidfd_open(pid)))
    try:
        for number, wait_s in steps:
            for _, handle in handles:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
            deadline = time.monotonic() + wait_s
            while any(_is_running(pid) for pid, _ in handles):
                if time.monotonic() > deadline:
                    break
                time.sleep(_POLL_S)
            else:
                return
    finally:
        for _, handle in handles:
            os.close(handle)


def _is_running(pid: int) -> bool:
    """False for a zombie too: it holds nothing any more, its reaper may just be slow."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
