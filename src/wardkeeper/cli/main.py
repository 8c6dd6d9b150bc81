"""The command line. Each command is one module beside this one, imported only when it is asked for.

A command module has `arguments(parser)`, which adds its arguments, and `run(args) -> int`, the exit
status: 0 well, 1 a finding or a failure, 2 misuse. `--data` and `--config` are every command's; they are in
the environment before the module is imported, so that `wardkeeper.settings.current()` obeys them. What
COMMANDS says a command needs is there while `run` runs: with embedded engines and no `up`, they are
started for its duration. Django is set up only then, so a command imports models inside `run`.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Flag, auto

from wardkeeper import __version__


class Needs(Flag):
    NOTHING = 0
    DATABASE = auto()
    BUS = auto()
    DJANGO = auto()


ENGINES = Needs.DATABASE | Needs.BUS


@dataclass(frozen=True, slots=True)
class Command:
    """`module`: where it is, if not in the module of its own name."""

    help: str
    needs: Needs = Needs.NOTHING
    module: str = ""


COMMANDS = {
    "up": Command("run everything in the foreground"),
    "run": Command("run one role: web, events, work or collect"),
    "check": Command("examine settings, engines, migrations, bus, clock and disk"),
    "adapter": Command("list adapters, or try one in the terminal"),
    "token": Command("create an API token", Needs.DATABASE | Needs.DJANGO),
    "new": Command("start a new adapter, practice, ledger or sender"),
    "backup": Command("write database, attachments and settings to one file", Needs.DATABASE),
    "restore": Command("unpack such a file into an empty data directory"),
    "parked": Command("list, retry or drop messages that failed", ENGINES | Needs.DJANGO),
    "verify": Command("find what was changed in the journals or taken away", Needs.DATABASE | Needs.DJANGO),
    "bench": Command("measure"),
    "migrate": Command(
        "bring a database of your own to this program's shape, after a backup", Needs.DATABASE | Needs.DJANGO
    ),
    "setup": Command(
        "migrate, collect static files and make the first login, for roles run singly",
        Needs.DATABASE | Needs.DJANGO,
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser, commands = _parser()
    name = next((word for word in words if word in COMMANDS), None)
    if name is None:
        parser.parse_args(words or ["--help"])
        return 2
    module = importlib.import_module(f"wardkeeper.cli.{COMMANDS[name].module or name}")
    module.arguments(commands[name])
    args = parser.parse_args(words)
    if args.data:
        os.environ["WARDKEEPER_DATA"] = os.path.abspath(args.data)  # noqa: PTH100 - Path has no lexical absolute
    if args.config:
        os.environ["WARDKEEPER_CONFIG"] = os.path.abspath(args.config)  # noqa: PTH100 - the same
    if name == "backup" and not _has_data():
        print("wardkeeper: there is no data here to back up; name its directory with --data", file=sys.stderr)
        return 2
    return _run(module.run, args, COMMANDS[name].needs)


def _has_data() -> bool:
    """Whether something was ever started here; attaching would make an empty installation otherwise."""
    from wardkeeper.settings import current

    settings = current()
    return bool(settings.database.dsn) or (settings.data_dir / "secret.key").is_file()


def _run(run: Callable[[argparse.Namespace], int], args: argparse.Namespace, needs: Needs) -> int:
    def with_needs() -> int:
        with ExitStack() as stack:
            if needs & ENGINES:
                from wardkeeper.runtime.attach import attached

                stack.enter_context(attached(bus=bool(needs & Needs.BUS)))
            if needs & Needs.DJANGO:
                start_django()
            return int(run(args))

    return told(with_needs)


def told(call: Callable[[], int]) -> int:
    """The exit status of `call`; what it refuses is told in one line instead of a traceback."""
    from wardkeeper.runtime.errors import EngineError, RefusalError
    from wardkeeper.settings import SettingsError

    try:
        return call()
    except (RefusalError, SettingsError) as error:
        print(f"wardkeeper: {error}", file=sys.stderr)
        return 2
    except EngineError as error:
        print(f"wardkeeper: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def start_django() -> None:
    """Makes the models importable."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "wardkeeper.settings.django"
    import django

    django.setup()


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--data", metavar="DIR", help="data directory (default: WARDKEEPER_DATA)")
    everywhere.add_argument("--config", metavar="FILE", help="settings file (default: WARDKEEPER_CONFIG)")
    parser = argparse.ArgumentParser(prog="wardkeeper", description="IT service management for hospitals.")
    parser.add_argument("--version", action="version", version=f"wardkeeper {__version__}")
    sub = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", prog="wardkeeper")
    made = {
        name: sub.add_parser(name, parents=[everywhere], help=command.help, description=command.help)
        for name, command in COMMANDS.items()
    }
    return parser, made
