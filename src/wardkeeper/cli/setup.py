"""`wardkeeper setup`: what must be there before the roles start. Safe to repeat; `up` calls it when needed."""

import argparse
import importlib.util
import logging
import os

from django.apps import apps
from django.core.management import call_command

from wardkeeper.runtime import child, datadir, fingerprint
from wardkeeper.runtime.house import FIRST_LOGIN, STATIC_MARK, SUPERVISED
from wardkeeper.settings import Settings, current, logs

log = logging.getLogger(__name__)


def arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(args: argparse.Namespace) -> int:
    from wardkeeper.registry.people.services import ensure_admin
    from wardkeeper.runtime.migrating import migrate

    settings = current()
    logs.configure(settings.log.level)
    # Packing the static files needs no database: on the second core, while the first migrates.
    packing = child.fork(lambda: _collect_static(settings), name="wk-static")
    migrate(settings)
    _fill_rooms()
    if password := ensure_admin():
        if SUPERVISED in os.environ:
            # Kept until `up` has shown it: a start that is broken off here would lose it.
            datadir.write(settings.data_dir / FIRST_LOGIN, password, mode=0o600)
        else:
            print(f"Sign in as admin with the password (shown only now): {password}")
    return packing.wait()


def _fill_rooms() -> None:
    """Each room may have a `setup.py` with `ensure()`: the rows every installation starts with."""
    for app in apps.get_app_configs():
        name = f"{app.name}.setup"
        if app.name.startswith("wardkeeper.") and importlib.util.find_spec(name):
            importlib.import_module(name).ensure()


def _collect_static(settings: Settings) -> int:
    mark = settings.data_dir / "static" / STATIC_MARK
    wanted = fingerprint.of_static()
    if mark.exists() and mark.read_text() == wanted:
        return 0
    call_command("collectstatic", interactive=False, verbosity=0)
    datadir.write(mark, wanted)
    log.info("static.collected")
    return 0
