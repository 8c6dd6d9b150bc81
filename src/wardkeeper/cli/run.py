"""`wardkeeper run ROLE`: one role in the foreground, as the supervisor or a service manager starts it."""

import argparse
import gc
import importlib
from collections.abc import Callable

from wardkeeper.runtime import addresses
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.runtime.role import say_ready
from wardkeeper.settings import current, logs


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("role", choices=tuple(ROLES), metavar="ROLE", help="web, events, work or collect")


def run(args: argparse.Namespace) -> int:
    settings = current()
    logs.configure(settings.log.level)
    if not settings.bus.url or not (settings.database.dsn or args.role == "collect"):
        raise RefusalError(
            "a single role needs engines of its own: set database.dsn and bus.url, or run `wardkeeper up`"
        )
    ROLES[args.role]()
    return 0


def _web() -> None:
    """Pages and API: WSGI workers forked from a process that has loaded everything, so they share its memory."""
    from wardkeeper.cli.main import start_django

    start_django()
    settings = current()
    target = "wardkeeper.presentation.web.wsgi:application"
    importlib.import_module(target.partition(":")[0])
    _serve(target, "wsgi", addresses.web(settings), workers=settings.web.workers, blocking_threads=4)


def _events() -> None:
    """Event streams: an open one would hold a WSGI worker, here it costs a coroutine."""
    from wardkeeper.cli.main import start_django

    start_django()
    target = "wardkeeper.presentation.web.events:application"
    importlib.import_module(target.partition(":")[0])
    _serve(target, "asginl", addresses.events(current()), workers=1, blocking_threads=1)


def _serve(
    target: str, interface: str, address: tuple[str, int], *, workers: int, blocking_threads: int
) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    gc.collect()
    gc.freeze()  # the collector would write into the shared pages and unshare them
    Granian(
        target,
        address=address[0],
        port=address[1],
        interface=Interfaces(interface),
        workers=workers,
        blocking_threads=blocking_threads,
        respawn_failed_workers=True,
        websockets=False,
        workers_kill_timeout=1,
        log_enabled=False,
    ).serve()


def _work() -> None:
    """Handlers, the outbox relay and timed jobs."""
    from wardkeeper.cli.main import start_django

    start_django()
    worker = importlib.import_module("wardkeeper.bus.worker")
    say_ready()
    worker.main()


def _collect() -> None:
    """The collector: adapters, without Django."""
    collector = importlib.import_module("wardkeeper.acquisition.supervisor")
    say_ready()
    collector.main()


ROLES: dict[str, Callable[[], None]] = {"web": _web, "events": _events, "work": _work, "collect": _collect}
