"""Addresses on which we listen: taken apart, checked, asked."""

import errno
import os
import socket
from http.client import HTTPConnection, HTTPException

from wardkeeper.runtime.errors import RefusalError
from wardkeeper.settings import Settings


def split(address: str, *, setting: str) -> tuple[str, int]:
    """("127.0.0.1", 8000) of "127.0.0.1:8000", ("::1", 8000) of "[::1]:8000". Raises RefusalError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise RefusalError(f"{setting}: {address!r} is not HOST:PORT with a port from 1 to 65535")
    return host.removeprefix("[").removesuffix("]"), int(port)


def web(settings: Settings) -> tuple[str, int]:
    """Where pages and API are served."""
    return split(settings.web.listen, setting="web.listen")


def events(settings: Settings) -> tuple[str, int]:
    """Where the event streams are served: next to the pages unless set."""
    if settings.web.events_listen:
        return split(settings.web.events_listen, setting="web.events_listen")
    host, port = web(settings)
    return host, port + 1


def shown(host: str, port: int) -> str:
    """As in an URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def require_free(host: str, port: int, *, option: str) -> None:
    """Raises RefusalError, which names the address and `option`, if a TCP server cannot listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        raise refusal(error, f"{shown(host, port)}/tcp", option=option) from error


def refusal(error: OSError, address: str, *, option: str) -> RefusalError:
    """Why we cannot listen on `address`, and which option to change."""
    if error.errno == errno.EADDRINUSE:
        return RefusalError(f"port {address} is in use; choose another with {option}")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return RefusalError(f"port {address} needs more rights; choose another with {option}")
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return RefusalError(f"cannot listen on {address} ({reason}); choose another with {option}")


def answers_http(host: str, port: int, *, timeout_s: float = 0.5) -> bool:
    """A web server there has loaded its application: it answers, and not with a failure."""
    connection = HTTPConnection(_reachable(host), port, timeout=timeout_s)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500  # noqa: PLR2004 - HTTP's server errors begin there
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def accepts(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Something there takes TCP connections."""
    try:
        socket.create_connection((_reachable(host), port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def _reachable(host: str) -> str:
    """What a client calls a server that listens everywhere."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
