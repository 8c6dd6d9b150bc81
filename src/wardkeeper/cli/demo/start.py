"""What `up --demo` does beyond `up`: its own data directory, hospital M before the roles start, and its logins."""

import logging
import os
import secrets
import signal
from pathlib import Path

from wardkeeper.cli.main import told
from wardkeeper.runtime import child, datadir
from wardkeeper.runtime.house import SetupFailed
from wardkeeper.settings import Settings

log = logging.getLogger(__name__)

DATA = Path("~/.local/share/wardkeeper-demo")
_LOGINS = (
    ("demo.engineer", "engineer"),
    ("demo.operator", "service desk"),
    ("demo.nurse", "nurse"),
    ("demo.director", "director"),
    ("demo.admin", "administrator; breaks devices at /demo/"),
)


def choose_data() -> None:
    """The demo never runs on the data of a real installation by mistake."""
    os.environ.setdefault("WARDKEEPER_DATA", str(DATA.expanduser()))


def prepare(settings: Settings) -> None:
    """Loads hospital M in a forked child, unless it is there. Raises SetupFailed."""
    process = child.fork(lambda: told(lambda: _ensure(settings)), name="wk-demo")
    try:
        status = process.wait()
    except BaseException:
        child.end(process, steps=((signal.SIGTERM, 2.0),))
        raise
    if status:
        raise SetupFailed(status)


def logins(settings: Settings) -> list[str]:
    """Lines for the ready message."""
    width = max(len(name) for name, _ in _LOGINS)
    lines = [f"  {name:{width}}  {role}" for name, role in _LOGINS]
    return [f"Demo logins, all with the password {_password(settings)}", *lines]


def _password(settings: Settings) -> str:
    """Made for this installation: a known one would open a demo that somebody put on the network."""
    folder = settings.data_dir / "demo"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "password"
    if not path.exists():
        datadir.write(path, "-".join(secrets.token_hex(2) for _ in range(3)), mode=0o600)
    return path.read_text().strip()


def _ensure(settings: Settings) -> int:
    from django.utils import timezone

    from wardkeeper.cli.demo import load

    if load.is_loaded():
        return 0
    print("Loading hospital M with a year of records; this takes about a minute.", flush=True)
    loaded = load.load(_password(settings), now=timezone.now())
    load.analyse()
    facts = {"records": loaded.records, "entries": loaded.entries, **loaded.seconds}
    log.info("demo.loaded", extra=facts)
    return 0
