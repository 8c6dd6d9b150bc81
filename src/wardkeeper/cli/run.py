"""`wardkeeper run ROLE`: one role in the foreground, as the supervisor or a service manager starts it."""

import argparse
import gc
import importlib
import resource
from collections.abc import Callable

from wardkeeper.runtime import addresses
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.runtime.role import say_ready
from wardkeeper.settings import current, logs


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("role", choices=tuple(ROLES), metavar="ROLE", help="web, events, work or collect")


def run(args: argparse.Namespace) -> int:
    from wardkeeper.cli.main import start_django

    settings = current()
    bare = args.role in _WITHOUT_DJANGO
    if args.role != "demo" and not (settings.bus.url and (settings.database.dsn or bare)):
        raise RefusalError(
            "a single role needs engines of its own: set database.dsn and bus.url, or run `wardkeeper up`"
        )
    if not bare:
        start_django()
    return start(args.role)


def start(name: str) -> int:
    """Runs the role until it is told to stop; returns its exit status."""
    logs.configure(current().log.level)
    ROLES[name]()
    return 0


def preload() -> None:
    """Imports what the roles with Django need, before they are forked, so that they share it."""
    for module in (_PAGES, _STREAMS, _WORKER):
        importlib.import_module(module)
    importlib.import_module("granian")
    _unshare_nothing()


def _unshare_nothing() -> None:
    """The garbage collector would write into every shared page, and so make a copy of it in each child."""
    gc.collect()
    gc.freeze()


def _web() -> None:
    """Pages and API."""
    settings = current()
    _serve(_PAGES, "wsgi", addresses.web(settings), workers=settings.web.workers, blocking_threads=4)


def _events() -> None:
    """Event streams: an open one would hold a WSGI worker, here it costs a coroutine."""
    # Each stream is a descriptor, and the usual soft limit is 1024.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    _serve(
        _STREAMS,
        "asginl",
        addresses.events(current()),
        workers=1,
        blocking_threads=1,
        backpressure=_MOST_STREAMS,
    )


def _serve(
    module: str,
    interface: str,
    address: tuple[str, int],
    *,
    workers: int,
    blocking_threads: int,
    backpressure: int | None = None,
) -> None:
    """Workers are forked from a process that has loaded everything.

    backpressure  requests under way at once per worker; granian lets more than that wait without a word
    """
    from granian import Granian
    from granian.constants import Interfaces

    importlib.import_module(module)
    _unshare_nothing()
    Granian(
        f"{module}:application",
        address=address[0],
        port=address[1],
        interface=Interfaces(interface),
        workers=workers,
        blocking_threads=blocking_threads,
        backpressure=backpressure,
        respawn_failed_workers=True,
        websockets=False,
        workers_kill_timeout=1,
        log_enabled=False,
    ).serve()


def _work() -> None:
    """Handlers, the outbox relay and timed jobs."""
    worker = importlib.import_module(_WORKER)
    say_ready()
    worker.main()


def _collect() -> None:
    """The collector: adapters, without Django."""
    collector = importlib.import_module("wardkeeper.acquisition.supervisor")
    say_ready()
    collector.main()


def _demo() -> None:
    """The simulated devices of `up --demo`."""
    devices = importlib.import_module("wardkeeper.cli.demo.devices.server")
    devices.main(current().data_dir, timezone=current().site.timezone, ready=say_ready)


_PAGES = "wardkeeper.presentation.web.wsgi"
_STREAMS = "wardkeeper.presentation.web.events"
_MOST_STREAMS = 6000
"""More than the application takes, so that it can refuse the rest itself."""
_WORKER = "wardkeeper.bus.worker"

ROLES: dict[str, Callable[[], None]] = {
    "web": _web,
    "events": _events,
    "work": _work,
    "collect": _collect,
    "demo": _demo,
}
_WITHOUT_DJANGO = ("collect", "demo")
