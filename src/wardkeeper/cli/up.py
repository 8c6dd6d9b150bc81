"""`wardkeeper up`: everything in the foreground."""

import argparse
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from wardkeeper.acquisition.registry import Kind, manifests
from wardkeeper.acquisition.sockets import listening
from wardkeeper.cli import run as one_role
from wardkeeper.cli import setup
from wardkeeper.cli.demo import start as demo
from wardkeeper.cli.main import start_django, told
from wardkeeper.runtime import addresses, datadir
from wardkeeper.runtime.house import House, SetupFailed
from wardkeeper.runtime.role import Role
from wardkeeper.settings import Settings, current, logs

log = logging.getLogger(__name__)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", metavar="HOST:PORT", help="address of pages and API (web.listen)")
    parser.add_argument("--demo", action="store_true", help="hospital M with simulated devices")


def run(args: argparse.Namespace) -> int:
    if args.demo:
        demo.choose_data()
        current.cache_clear()
    if args.listen:
        os.environ["WARDKEEPER_WEB_LISTEN"] = args.listen
        current.cache_clear()
    settings = current()
    logs.configure(settings.log.level, file=datadir.make(settings.data_dir) / "log" / "supervisor.log")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    held: dict[str, socket.socket] = {}
    try:
        with House(
            settings,
            roles=lambda ready: roles(ready, held, with_demo=args.demo),
            setup=_set_up,
            preload=start_django,
            claim=lambda chosen: held.update(hold_sockets(chosen)),
        ) as house:
            house.run(on_ready=lambda: _announce(house, with_demo=args.demo))
    except SetupFailed as error:
        return error.status
    return 0


def hold_sockets(settings: Settings) -> Mapping[str, socket.socket]:
    """The sockets of the listening adapters, by "<adapter>:<transport>".

    We hold them, the collector borrows them: what arrives while it restarts waits in the kernel's buffer.
    Raises RefusalError.
    """
    held = {}
    for name, manifest in manifests().items():
        chosen: Mapping[str, Any] = settings.adapters.get(name, {})
        if manifest.kind is not Kind.LISTENER or not chosen.get("enabled", True):
            continue
        for transport in ("udp", "tcp"):
            if (port := manifest.port.get(transport)) is None:
                continue
            config = SimpleNamespace(host=chosen.get("host", "127.0.0.1"), port=int(chosen.get("port", port)))
            try:
                held[f"{name}:{transport}"] = listening(name, transport, config)
            except OSError as error:
                address = f"{addresses.shown(config.host, config.port)}/{transport}"
                raise addresses.refusal(error, address, option=f"adapters.{name}.port") from error
    return held


def roles(settings: Settings, held: Mapping[str, socket.socket], *, with_demo: bool) -> Sequence[Role]:
    """What runs under the supervisor. Those that need Django are forked from it: loaded once, memory shared."""
    if with_demo:
        demo.prepare(settings)
    one_role.preload()
    pages, events = addresses.web(settings), addresses.events(settings)
    numbers = {name: bound.fileno() for name, bound in held.items()}

    def forked(name: str) -> Callable[[], int]:
        def call() -> int:
            for bound in held.values():
                bound.close()  # the collector's; an orphan of ours must not keep the ports
            return told(lambda: one_role.start(name))

        return call

    made = [
        Role("web", call=forked("web"), is_ready=lambda: addresses.answers_http(*pages), grace_s=1.5),
        Role("events", call=forked("events"), is_ready=lambda: addresses.answers_http(*events), grace_s=1.5),
        Role("work", call=forked("work"), says_ready=True, grace_s=2.0),
        Role(
            "collect",
            command=(sys.executable, "-m", "wardkeeper", "run", "collect"),
            env={"WARDKEEPER_SOCKETS": json.dumps(numbers)},
            pass_fds=tuple(numbers.values()),
            says_ready=True,
            grace_s=2.0,
        ),
    ]
    if with_demo:
        demo_command = (sys.executable, "-m", "wardkeeper", "run", "demo")
        made.append(Role("demo", command=demo_command, says_ready=True, grace_s=1.0))
    return made


def _set_up() -> int:
    """In a forked child: what it opens and registers is gone with it."""
    return told(lambda: setup.run(argparse.Namespace()))


def _announce(house: House, *, with_demo: bool) -> None:
    """The ready line, and at the first start the login."""
    address = addresses.shown(*addresses.web(house.settings))
    lines = [f"Wardkeeper is ready at http://{address}/"]
    if password := house.first_login():
        lines += ["Sign in as admin with the password (shown only now):", f"  {password}"]
    if with_demo:
        lines += demo.logins(house.settings)
    try:
        print("\n".join(lines), flush=True)
    except OSError as error:  # nobody reads us any more; that is no reason to stop
        log.warning("ready.untold", extra={"reason": str(error)})
    else:
        house.forget_first_login()
