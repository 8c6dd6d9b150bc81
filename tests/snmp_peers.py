"""SNMP agents for tests: net-snmp's, snmpsim's recordings, and any function in our own event loop."""

import asyncio
import bz2
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import snmpsim_data  # type: ignore[import-untyped]  # it has no types; we want its folder only

from wardkeeper.cli.bench._snmp_agent import Agent

AUTH, PRIVACY = "auth-passw0rd", "priv-passw0rd"

USERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    # security name -> createUser's words, and the same for our Config
    "nobody-knows": ("", {}),
    "md5": (f"MD5 {AUTH}", {"auth_protocol": "md5"}),
    "sha": (f"SHA {AUTH}", {"auth_protocol": "sha"}),
    "md5-des": (f"MD5 {AUTH} DES {PRIVACY}", {"auth_protocol": "md5", "priv_protocol": "des"}),
    "sha-aes": (f"SHA {AUTH} AES {PRIVACY}", {"auth_protocol": "sha", "priv_protocol": "aes"}),
    "sha224-aes": (f"SHA-224 {AUTH} AES {PRIVACY}", {"auth_protocol": "sha224", "priv_protocol": "aes"}),
    "sha256-aes256": (
        f"SHA-256 {AUTH} AES256 {PRIVACY}",
        {"auth_protocol": "sha256", "priv_protocol": "aes256"},
    ),
    "sha384-aes192": (
        f"SHA-384 {AUTH} AES192 {PRIVACY}",
        {"auth_protocol": "sha384", "priv_protocol": "aes192"},
    ),
    "sha512-aes256": (
        f"SHA-512 {AUTH} AES256 {PRIVACY}",
        {"auth_protocol": "sha512", "priv_protocol": "aes256"},
    ),
    "sha-aes256c": (
        f"SHA {AUTH} AES256C {PRIVACY}",
        {"auth_protocol": "sha", "priv_protocol": "aes256", "key_expansion": "cisco"},
    ),
}


def credentials(user: str) -> dict[str, str]:
    """Our Config's version 3 settings for one of USERS."""
    protocols = USERS[user][1]
    found = {"version": "3", "user": user, **protocols}
    if "auth_protocol" in protocols:
        found["auth_password"] = AUTH
    if "priv_protocol" in protocols:
        found["priv_password"] = PRIVACY
    return found


class Snmpd:
    """net-snmp's agent on a port of loopback. Start and stop it as often as you like; it keeps its engine."""

    def __init__(self, folder: Path) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            f"agentAddress udp:127.0.0.1:{self.port}",
            "rocommunity public 127.0.0.1",
            "sysName ward-switch",
            "sysLocation 门诊一楼",
            *(f"createUser {name} {words}" for name, (words, _) in USERS.items()),
            *(
                f"rouser {name} {'priv' if 'priv_protocol' in ours else 'auth' if ours else 'noauth'}"
                for name, (_, ours) in USERS.items()
            ),
        ]
        (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                "snmpd",
                "-f",
                "-Lf",
                str(self._folder / "log"),
                "-C",
                "-c",
                str(self._folder / "snmpd.conf"),
                "-I",
                "-smux",
            ],
            env={**os.environ, "SNMP_PERSISTENT_DIR": str(self._folder / "persistent"), "MIBS": ""},
        )
        until(lambda: is_heard(self.port), 10)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


def is_heard(port: int, community: bytes = b"public") -> bool:
    """Whether a v2c GET of sysUpTime is answered within 0.2 s."""
    words = bytes.fromhex("a0190201010201000201003 00e300c06082b060102010103000500".replace(" ", ""))
    body = b"\x02\x01\x01\x04" + bytes((len(community),)) + community + words
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        try:
            asking.connect(("127.0.0.1", port))
            asking.send(b"\x30" + bytes((len(body),)) + body)
            return bool(asking.recv(4096))
        except OSError:
            return False


def until(is_so: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


_RESPONDER = """
# It imports these only once it is the other user, who may not be allowed to read our Python.
import dbm.dumb, encodings.latin_1, importlib, sys
for kind in ("gnu", "ndbm"):
    try:
        importlib.import_module("dbm." + kind)
    except ImportError:
        pass
from snmpsim.commands.responder import main
sys.exit(main())
"""


@contextmanager
def snmpsim(folder: Path, recordings: Mapping[str, str]) -> Iterator[int]:
    """snmpsim as an ordinary user; gives its port. `recordings`: community -> a file of snmpsim_data."""
    source = Path(snmpsim_data.__file__).parent / "data"
    data = folder / "data"
    data.mkdir()
    for community, name in recordings.items():
        (data / f"{community}.snmprec").write_bytes(
            bz2.decompress((source / f"{name}.snmprec.bz2").read_bytes())
        )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    as_user: list[str] = []
    if os.geteuid() == 0:
        # It refuses to run as root, and becomes the user named here. pytest's folders are closed to others.
        for part in (folder, *folder.parents):
            with suppress(PermissionError):
                part.chmod(part.stat().st_mode | 0o011)
        for part in (folder, data, *data.iterdir()):
            shutil.chown(part, "nobody")
        as_user = ["--process-user=nobody", "--process-group=nogroup"]
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _RESPONDER),
            *as_user,
            "--logging-method=null",
            f"--data-dir={data}",
            f"--cache-dir={folder / 'cache'}",
            f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        ],
        env={**os.environ, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=(folder / "output").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        first = next(iter(recordings)).encode()
        until(lambda: is_heard(port, first) or process.poll() is not None, 60)
        assert process.poll() is None, (folder / "output").read_text()[-2000:]
        yield port
    finally:
        process.terminate()
        process.wait(10)


class Bytes(asyncio.DatagramProtocol):
    """Answers each datagram with whatever `answer` makes of it: None for nothing, several to be sent in turn."""

    def __init__(self, answer: Callable[[bytes], bytes | list[bytes] | None]) -> None:
        self._answer = answer
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        for each in [answer] if isinstance(answer, bytes) else answer or []:
            self._transport.sendto(each, addr)


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes | list[bytes] | None]) -> AsyncIterator[int]:
    """An agent in this event loop; gives its port. `Agent(...).answer` is a good one."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Bytes(answer), local_addr=("127.0.0.1", 0))
    try:
        yield int(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


__all__ = ["USERS", "Agent", "Snmpd", "answering", "credentials", "is_heard", "snmpsim", "until"]
