"""The engines of a test run: started once when first asked for, shared by all workers, gone with the run.

Each engine is kept by a process of its own, `python -m tests.engines NAME ROOT PID`, because the worker
that happens to ask first may end before the others. The keeper ends when process PID, the run, ends.
"""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres

_ROOT = "WARDKEEPER_TEST_ROOT"
_START_LIMIT_S = 60.0


def prepare_environment() -> None:
    """Called by the run's first process and inherited by its workers."""
    if _ROOT not in os.environ:
        root = Path(tempfile.mkdtemp(prefix="wk-"))  # short: unix sockets live below
        root.chmod(0o711)
        os.environ[_ROOT] = str(root)
        os.environ.pop("WARDKEEPER_CONFIG", None)
        os.environ["WARDKEEPER_DATA"] = str(root / "data")
        os.environ["WARDKEEPER_SECRET_KEY"] = "only-for-tests-" + "0" * 32
        os.environ["WARDKEEPER_DATABASE_DSN"] = EmbeddedPostgres(root / "data").dsn
        os.environ["WARDKEEPER_TEST_OWNER"] = str(os.getpid())
    os.environ["DJANGO_SETTINGS_MODULE"] = "wardkeeper.settings.django"


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="wk-"))
    made.chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(made)


def start(name: str) -> str:
    """Address of the engine `name`, started if it is not yet."""
    root = Path(os.environ[_ROOT])
    address = root / f"{name}.address"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            _keep(name, root, address)
    return address.read_text()


def _keep(name: str, root: Path, address: Path) -> None:
    command = [sys.executable, "-m", "tests.engines", name, str(root), os.environ["WARDKEEPER_TEST_OWNER"]]
    log = root / f"{name}.keeper.log"
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[1],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    (root / f"{name}.keeper").write_text(str(keeper.pid))
    deadline = time.monotonic() + _START_LIMIT_S
    while not address.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not start: {log.read_text()}")
        time.sleep(0.02)


def stop_all() -> None:
    """Ends what this run started and removes its files."""
    root = Path(os.environ[_ROOT])
    for file in root.glob("*.keeper"):
        with contextlib.suppress(ProcessLookupError):
            pid = int(file.read_text())
            handle = os.pidfd_open(pid)
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
            select.select([handle], [], [], 15)
            os.close(handle)
    shutil.rmtree(root, ignore_errors=True)


def _main(name: str, root: Path, owner: int) -> None:
    stopped, stop = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.close(stop))
    run = os.pidfd_open(owner)
    data = root / "data"
    engine = EmbeddedPostgres(data, durable=False) if name == "postgres" else EmbeddedNats(data)
    with engine:
        text = engine.dsn if isinstance(engine, EmbeddedPostgres) else engine.url
        draft = root / f"{name}.draft"
        draft.write_text(text)
        draft.rename(root / f"{name}.address")
        select.select([run, stopped], [], [])
    if os.getppid() != owner and select.select([run], [], [], 0)[0]:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
