"""The embedded PostgreSQL: the wheel's own programs as a child process on a unix socket."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from functools import cached_property
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import psycopg

from wardkeeper.runtime import child, datadir
from wardkeeper.runtime.engine import Pulse
from wardkeeper.runtime.errors import EngineError, RefusalError
from wardkeeper.runtime.postgres_place import Place, settle

DATABASE = USER = "wardkeeper"
_PORT = 5432  # only names the socket file; nothing listens on TCP
_POLL_S = 0.02
_STATE_LINE = (
    8  # of postmaster.pid; line 1 is the process id (PostgreSQL, pidfile.h: LOCK_FILE_LINE_PM_STATUS)
)
_START_TRIES_S = 30.0
_RECOVERY_LIMIT_S = 600.0
_RECOVERING = re.compile(
    r"the database system is (starting up|in recovery mode|not yet accepting connections)"
)
_STOP = ((signal.SIGINT, 6.0), (signal.SIGQUIT, 1.5))  # fast, then immediate shutdown

# For 2 cores and a few GB. A hospital that needs more names its own server in database.dsn.
_SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "192MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",  # its compile time exceeds the whole of our queries
    "wal_compression": "pglz",  # the wheel is built without lz4 and zstd
    "max_wal_size": "1GB",  # bounds recovery after a kill to some seconds
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "autovacuum_naptime": "30s",
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_FAST_AND_LOSE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class EmbeddedPostgres:
    """One cluster under `data_dir`/postgres with one database, `wardkeeper`.

    durable   False only for tests: a crash of the machine may lose it
    tcp_port  also listens on 127.0.0.1, for tests that play an external server
    Start it from the main thread: the kernel ends it with the thread that started it.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, tcp_port: int = 0) -> None:
        self.data_dir = data_dir
        self._durable = durable
        self.tcp_port = tcp_port
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: datadir.Lock | None = None

    @cached_property
    def place(self) -> Place:
        return settle(datadir.make(self.data_dir))

    @property
    def password(self) -> str:
        return datadir.secret(self.data_dir / "postgres" / "password")

    @property
    def dsn(self) -> str:
        """Address of the database; known before the start."""
        query = urlencode({"host": str(self.place.sockets), "port": self._port}, safe="/")
        return f"postgresql://{USER}:{quote(self.password, safe='')}@/{DATABASE}?{query}"

    @property
    def _port(self) -> int:
        return self.tcp_port or _PORT

    @property
    def log_path(self) -> Path:
        return self.data_dir / "log" / "postgres.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> str:
        """Starts, recovers if need be, creates what is missing, and returns the address of the database.

        Raises RefusalError if another program uses the cluster or it is of another version, EngineError if
        it does not come up.
        """
        self._take()
        try:
            end_orphans(self.place.cluster)
            if not self.place.cluster.exists():
                self._create_cluster()
            self._check_version()
            self._write_access_rules()
            self._launch_until_ready()
            self._create_database()
        except BaseException:
            self.stop()
            raise
        return self.dsn

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self._process is not None:
            child.end(self._process, steps=_STOP)
            self._process = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def is_healthy(self) -> bool:
        """Ours, and answers a query within two seconds."""
        return self.pid is not None and self.answers()

    def answers(self) -> bool:
        """Somebody's server, perhaps another process's child, answers at our address."""
        return self.pulse() is Pulse.BEATS

    def pulse(self) -> Pulse:
        """How it takes a query; takes at most some two seconds."""
        try:
            with psycopg.connect(self.dsn, connect_timeout=2, autocommit=True) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            # After the crash of one of its processes it recovers by itself; psycopg keeps no SQLSTATE
            # (57P03, cannot_connect_now) of a failed connection, so the text has to do. lc_messages is C.
            return Pulse.BUSY if _RECOVERING.search(str(error)) else Pulse.MUTE
        except psycopg.Error:
            return Pulse.MUTE
        return Pulse.BEATS

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take(self) -> None:
        lock = datadir.Lock(self.place.cluster.parent / "lock")
        if not lock.take():
            raise RefusalError(
                f"database {self.place.cluster} is in use by process {lock.holder()}; stop it first"
            )
        self._lock = lock

    def _create_cluster(self) -> None:
        """Runs initdb beside the final place, renamed when whole: an interrupted one is simply made again."""
        draft = self.place.cluster.with_name("cluster.new")
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        password = self.place.cluster.with_name("password.new")
        password.unlink(missing_ok=True)
        datadir.write(password, self.password, mode=0o600)
        if account := self.place.account:
            os.chown(draft, account.uid, account.gid)
            os.chown(password, account.uid, account.gid)
        command = [self.place.program("initdb"), "-D", str(draft), "-U", USER, f"--pwfile={password}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8"]
        # PostgreSQL's own C.UTF-8: the same order on every machine, whatever its libc.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self._durable:
            command.append("--no-sync")
        with self._open_log() as log:
            process = child.spawn(
                command,
                account=account,
                output=log,
                env=_environment(),
                cwd=Path("/"),
                death_signal=signal.SIGKILL,
            )
            status = process.wait()
        password.unlink()
        if status:
            raise EngineError(f"PostgreSQL's initdb failed with status {status}; see {self.log_path}")
        draft.rename(self.place.cluster)

    def _check_version(self) -> None:
        made_by = (self.place.cluster / "PG_VERSION").read_text().strip()
        done = subprocess.run(
            [self.place.program("postgres"), "--version"], capture_output=True, check=True, text=True, cwd="/"
        )
        ours = done.stdout.split()[-1].partition(".")[0]
        if made_by != ours:
            raise RefusalError(
                f"database {self.place.cluster} was made by PostgreSQL {made_by}, this program brings {ours};"
                " restore a backup into an empty --data"
            )

    def _write_access_rules(self) -> None:
        rules = f"local all {USER} scram-sha-256\n"
        if self.tcp_port:
            rules += f"host all {USER} 127.0.0.1/32 scram-sha-256\n"
        path = self.place.cluster / "pg_hba.conf"
        datadir.write(path, rules, mode=0o600)
        if account := self.place.account:
            os.chown(path, account.uid, account.gid)

    def _open_log(self) -> BufferedWriter:
        return datadir.open_log(self.log_path)

    def _launch_until_ready(self) -> None:
        """Right after a kill the old children still hold the shared memory and a start is refused: again."""
        give_up = time.monotonic() + _START_TRIES_S
        while True:
            self._process = self._launch()
            if self._wait_ready():
                return
            if time.monotonic() > give_up:
                raise EngineError(f"PostgreSQL did not start; see {self.log_path}")
            time.sleep(0.2)

    def _launch(self) -> subprocess.Popen[bytes]:
        options = dict(_SETTINGS)
        if not self._durable:
            options |= _FAST_AND_LOSE
        options["listen_addresses"] = "127.0.0.1" if self.tcp_port else ""
        options["port"] = str(self._port)
        options["unix_socket_directories"] = str(self.place.sockets)
        options["unix_socket_permissions"] = "0700"
        command = [self.place.program("postgres"), "-D", str(self.place.cluster)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self._open_log() as log:
            return child.spawn(
                command,
                account=self.place.account,
                output=log,
                env=_environment(),
                cwd=Path("/"),
                death_signal=signal.SIGINT,
            )

    def _wait_ready(self) -> bool:
        """True when it takes connections, False if it ended. Recovery after a crash may take its time."""
        process = self._process
        if process is None:
            return False
        pid_file = self.place.cluster / "postmaster.pid"
        give_up = time.monotonic() + _RECOVERY_LIMIT_S
        while process.poll() is None:
            lines = _lines(pid_file)
            if (
                len(lines) >= _STATE_LINE
                and lines[0] == str(process.pid)
                and lines[_STATE_LINE - 1].strip() == "ready"
            ):
                return True
            if time.monotonic() > give_up:
                raise EngineError(f"PostgreSQL is still recovering; see {self.log_path}")
            time.sleep(_POLL_S)
        return False

    def _create_database(self) -> None:
        with psycopg.connect(self.dsn, dbname="postgres", autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not found:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def end_orphans(cluster: Path) -> None:
    """Ends an earlier life's server of this very cluster and drops its stale pid file.

    A server is ours if its working directory is the cluster: process ids are reused, folders are not.
    """
    pid_file = cluster / "postmaster.pid"
    lines = _lines(pid_file)
    if not lines:
        return
    ours = [pid for pid in child.processes() if child.works_in(pid, cluster)]
    leader = [pid for pid in ours if str(pid) == lines[0]]
    child.end_strangers(leader, steps=((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 2.0)))
    child.end_strangers(
        [pid for pid in ours if pid not in leader], steps=((signal.SIGQUIT, 2.0), (signal.SIGKILL, 2.0))
    )
    # With every process of ours gone it can only name a stranger that got the number after a reboot;
    # PostgreSQL would refuse to start because of it.
    pid_file.unlink(missing_ok=True)


def _lines(path: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace").splitlines()
    return []


def _environment() -> dict[str, str]:
    """Nothing of ours: a PG... variable of the operator would steer the server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
