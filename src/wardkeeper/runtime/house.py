"""`up`: one data directory, its engines and its roles, from nothing to ready and back."""

import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psycopg

from wardkeeper.runtime import addresses, child, datadir, fingerprint
from wardkeeper.runtime.attach import LOCK, hand_down
from wardkeeper.runtime.backup import RESTORING
from wardkeeper.runtime.errors import EngineError, RefusalError
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres
from wardkeeper.runtime.role import RUN, Role
from wardkeeper.runtime.supervisor import Engine, Supervisor
from wardkeeper.settings import Settings, current, ensure_secret_key

log = logging.getLogger(__name__)

SUPERVISED = "WARDKEEPER_INTERNAL_SUPERVISED"
STOP_ORDER = (("collect",), ("web", "events"), ("work",))
FIRST_LOGIN = "first-login"
STATIC_MARK = ".fingerprint"


class SetupFailed(Exception):
    """The setup process ended with `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class House:
    """Holds the data directory, the engines and the roles for the length of a `with`.

    roles      made when the engines' addresses are in the environment and setup is done
    setup      migrates, collects static files and makes the first login; returns its exit status. It runs
               in a forked child, so what it loads and opens is gone with it
    claim      called under the lock, when no orphan is left: takes what listens, refuses what is taken
    preload    called before `setup` is forked, so that its imports are shared
    """

    settings: Settings
    roles: Callable[[Settings], Sequence[Role]]
    setup: Callable[[], int]
    preload: Callable[[], None] = lambda: None
    claim: Callable[[Settings], None] = lambda _: None
    stop_order: Sequence[Sequence[str]] = STOP_ORDER
    engines: dict[str, Engine] = field(default_factory=dict)
    data_dir: Path = field(init=False)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._enter(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with _patient():
            self._stack.close()

    def run(self, on_ready: Callable[[], None]) -> None:
        """Until SIGINT or SIGTERM. Raises SetupFailed."""
        self.preload()
        if self._needs_setup():
            self._set_up()
        roles = self.roles(current())
        Supervisor(self.data_dir, engines=self.engines, roles=roles, stop_order=self.stop_order).run(
            on_ready=on_ready
        )

    def first_login(self) -> str:
        """The generated password of `admin` until it has been shown; empty ever after."""
        with contextlib.suppress(FileNotFoundError):
            return (self.data_dir / FIRST_LOGIN).read_text().strip()
        return ""

    def forget_first_login(self) -> None:
        """It has been shown."""
        (self.data_dir / FIRST_LOGIN).unlink(missing_ok=True)

    def _enter(self, stack: ExitStack) -> None:
        settings = self.settings
        self.data_dir = datadir.make(settings.data_dir)
        if (self.data_dir / RESTORING).exists():
            raise RefusalError(f"a restore into {self.data_dir} was broken off; empty it and restore again")
        lock = datadir.Lock(self.data_dir / LOCK)
        if not lock.take():
            raise RefusalError(
                f"data directory {self.data_dir} is in use by process {lock.holder()};"
                " stop it, or choose another with --data"
            )
        stack.callback(lock.release)
        end_orphans(self.data_dir)
        self._require_free_ports()
        self.claim(self.settings)
        ensure_secret_key(self.data_dir)
        self._start_engines(stack)

    def _require_free_ports(self) -> None:
        pages, events = addresses.web(self.settings), addresses.events(self.settings)
        addresses.require_free(*pages, option="--listen (web.listen)")
        addresses.require_free(*events, option="web.events_listen")

    def _start_engines(self, stack: ExitStack) -> None:
        """Both side by side; what the settings name elsewhere must answer."""
        settings = self.settings
        handed = {"DATA": str(self.data_dir), "INTERNAL_SUPERVISED": str(self.data_dir)}
        nats = None if settings.bus.url else EmbeddedNats(self.data_dir)
        if nats:
            nats.launch()
            stack.callback(nats.stop)
        if settings.database.dsn:
            require_database(settings.database.dsn)
        else:
            postgres = EmbeddedPostgres(self.data_dir)
            handed["DATABASE_DSN"] = postgres.start()
            stack.callback(postgres.stop)
            # LIFO would end PostgreSQL first; nothing uses either any more, so the order is free here.
            self.engines["postgres"] = postgres
        if nats:
            handed["BUS_URL"] = nats.wait()
            self.engines["nats"] = nats
        else:
            require_bus(settings.bus.url)
        hand_down(handed)
        for name, engine in self.engines.items():
            log.info("engine.started", extra={"engine": name, "pid": engine.pid})

    def _needs_setup(self) -> bool:
        mark = self.data_dir / "static" / STATIC_MARK
        if not mark.exists() or mark.read_text() != fingerprint.of_static():
            return True
        with psycopg.connect(current().database.dsn, connect_timeout=10) as connection:
            return fingerprint.in_database(connection) != fingerprint.of_migrations()

    def _set_up(self) -> None:
        process = child.fork(self.setup, name="wk-setup")
        try:
            status = process.wait()
        except BaseException:
            child.end(process, steps=((signal.SIGTERM, 2.0),))
            raise
        if status:
            raise SetupFailed(status)


def end_orphans(data_dir: Path) -> None:
    """Ends what a killed parent left behind: a worker of a role would still hold its port.

    Ours are those without a terminal whose working directory is the `run` folder of this data directory;
    PostgreSQL and NATS look for their own.
    """
    folder = data_dir / RUN
    folder.mkdir(mode=0o711, exist_ok=True)
    found = [pid for pid in child.processes() if child.works_in(pid, folder) and not child.has_terminal(pid)]
    found = [pid for pid in found if pid != os.getpid()]
    if found:
        log.warning("orphans.ended", extra={"pids": found})
        child.end_strangers(found, steps=((signal.SIGTERM, 3.0), (signal.SIGKILL, 2.0)))


def require_database(dsn: str) -> None:
    """Raises RefusalError if the external PostgreSQL does not answer or is too old."""
    try:
        with psycopg.connect(dsn, connect_timeout=5) as connection:
            server = connection.info.server_version
    except psycopg.Error as error:
        raise RefusalError(f"database.dsn: cannot reach {_place(dsn)}: {_one_line(error)}") from error
    if server < 150000:  # noqa: PLR2004 - PostgreSQL's number for 15.0
        raise RefusalError(
            f"database.dsn: {_place(dsn)} is PostgreSQL {server // 10000}; 15 or newer is needed"
        )


def require_bus(urls: str) -> None:
    """Raises RefusalError if no server of the external bus takes connections."""
    for url in urls.split(","):
        parts = urlsplit(url.strip())
        if parts.scheme == "memory" or addresses.accepts(
            parts.hostname or "", parts.port or 4222, timeout_s=5
        ):
            return
    places = ", ".join(_place(url) for url in urls.split(","))
    raise RefusalError(
        f"bus.url: cannot reach {places}; start NATS there, or leave it empty for the built-in one"
    )


def _place(url: str) -> str:
    """Host and port without the credentials."""
    parts = urlsplit(url.strip())
    return parts.netloc.rpartition("@")[2] or f"{parts.path.lstrip('/')} ({parts.query})"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


@contextlib.contextmanager
def _patient() -> Iterator[None]:
    """While engines stop, a second Ctrl-C must not leave one of them running."""
    handlers: Mapping[int, object] = {
        number: signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned goes back in


__all__ = ["EngineError", "House", "SetupFailed", "end_orphans", "require_bus", "require_database"]
