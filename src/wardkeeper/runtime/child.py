"""Starts and ends child processes so that none outlives its parent."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
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


class Forked:
    """A child that is a copy of us: what we have loaded is there at once, and its memory is shared.

    As much of subprocess.Popen as its keepers use.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, minus the signal's number if one ended it; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired("a forked child", timeout or 0)
            time.sleep(_POLL_S)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


Process = subprocess.Popen[bytes] | Forked


def fork(
    call: Callable[[], int], *, name: str, cwd: Path | None = None, output: IO[bytes] | None = None
) -> Forked:
    """A child in a session of its own that runs `call` and ends with the status it returns.

    name      what `ps` shows of it, at most 15 bytes
    output    takes both of its streams; None leaves them ours
    It ends with the thread that called this: call from the main thread, and have no other.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return Forked(pid)
    status = 1
    try:
        _become_child(parent, name, output)
        if cwd is not None:
            os.chdir(cwd)
        status = call()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - it must not return into the parent's frames, whatever it is
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        # Not sys.exit: what the parent would tidy up at its own end is not ours.
        os._exit(status)


def _become_child(parent: int, name: str, output: IO[bytes] | None) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
        _prctl(_PR_SET_NAME, name.encode())
        if os.getppid() != parent:
            os._exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if output is not None:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)


def end(process: Process, *, steps: Sequence[tuple[signal.Signals, float]]) -> int:
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


def works_in(pid: int, folder: Path) -> bool:
    """Its working directory is `folder`; False if it is gone or somebody else's."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return False


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


def has_terminal(pid: int) -> bool:
    """A person sits at it: a shell, an editor. Nothing that we start has one."""
    fields = _stat(pid)
    return bool(fields) and fields[4] != b"0"  # tty_nr (proc_pid_stat(5), field 7)


def _is_running(pid: int) -> bool:
    """False for a zombie too: it holds nothing any more, its reaper may just be slow."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in {b"Z", b"X"}


def _stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat from the third, the state, on; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
