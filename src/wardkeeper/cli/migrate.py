"""`wardkeeper migrate`: brings the database to this program's shape, after a backup."""

import argparse

from wardkeeper.settings import current, logs


def arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(args: argparse.Namespace) -> int:
    from wardkeeper.runtime.migrating import migrate

    logs.configure(current().log.level)
    migrate(current())
    return 0
