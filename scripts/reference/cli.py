"""docs/reference/cli.md, from the argument parsers of the commands."""

import argparse
import importlib

from scripts.reference.markdown import code, page, table
from wardkeeper.cli.main import COMMANDS

INTRODUCTION = """
`wardkeeper COMMAND --help` says the same. Every command takes `--data DIR` and `--config FILE`. Exit status:
0 well, 1 a finding or a failure, 2 misuse or refused, with one line that says why.
"""


def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"wardkeeper {name}")
    importlib.import_module(f"wardkeeper.cli.{COMMANDS[name].module or name}").arguments(parser)
    return parser


def reference() -> str:
    shown = {name: command for name, command in COMMANDS.items() if command.help}
    return page(
        "Command line", INTRODUCTION, *(_section(name, command.help) for name, command in shown.items())
    )


def _section(name: str, meaning: str) -> str:
    parts = [
        f"## {name}",
        f"{meaning[0].upper()}{meaning[1:]}.",
        *_forms(parser_of(name), f"wardkeeper {name}"),
    ]
    return "\n\n".join(parts)


def _forms(parser: argparse.ArgumentParser, words: str) -> list[str]:
    """The parser's own arguments, then those of its subcommands."""
    rows, parts = [], []
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 - the same
            for name, inner in action.choices.items():
                parts.append(f"**`{words} {name}`** {helps.get(name, '')}".strip())
                parts += _forms(inner, f"{words} {name}")
        elif not isinstance(action, argparse._HelpAction) and action.help != argparse.SUPPRESS:  # noqa: SLF001
            rows.append((code(_name(action)), action.help or ""))
    return [*([table(("argument", "meaning"), rows)] if rows else []), *parts]


def _name(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if not action.option_strings:
        name = metavar or action.dest.upper()
        return f"{name} ..." if action.nargs in {"*", "+", argparse.REMAINDER} else name
    value = "" if action.nargs == 0 else f" {metavar or action.dest.upper()}"
    return f"{action.option_strings[-1]}{value}"
