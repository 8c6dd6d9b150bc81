"""Brings the database to this program's shape: refuse a newer one, back up, migrate."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

import wardkeeper
from wardkeeper.runtime import dump, fingerprint
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.settings import Settings

log = logging.getLogger(__name__)

# Any two processes that migrate this database at once take turns; the number is ours alone.
_LOCK = 0x57_4B_4D_49
_KEPT_BACKUPS = 3


def migrate(settings: Settings) -> bool:
    """Applies what is pending, after a backup if there is anything to lose. True if something was.

    Raises RefusalError if the database is newer than the program or the backup finds no room.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            return _migrate(settings)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _migrate(settings: Settings) -> bool:
    executor = MigrationExecutor(connection)
    loader = executor.loader
    applied = set(loader.applied_migrations or ())
    unknown = sorted(applied - set(loader.disk_migrations or ()) - set(loader.replacements))
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in unknown[:3])
        raise RefusalError(
            f"the database is newer than this program (wardkeeper {wardkeeper.__version__} does not know {names});"
            " start the newer program, or restore a backup into an empty --data"
        )
    plan = executor.migration_plan(loader.graph.leaf_nodes())
    if plan:
        if applied:
            _back_up(settings)
        # An empty database has nothing to lose: after a crash the migrations simply run again.
        with _commits("on" if applied else "off"):
            call_command("migrate", interactive=False, verbosity=0)
        log.info("migrations.applied", extra={"count": len(plan)})
    fingerprint.record(settings.database.dsn, fingerprint.of_migrations())
    return bool(plan)


@contextmanager
def _commits(wait: str) -> Iterator[None]:
    """Within it a commit waits for the disk, or not: `on` or `off`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('synchronous_commit', %s, false)", [wait])
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


def _back_up(settings: Settings) -> None:
    folder = settings.data_dir / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size = int(cursor.fetchone()[0])
    free = shutil.disk_usage(folder).free
    if free < size:
        raise RefusalError(
            f"the backup before migrations needs up to {size >> 20} MB in {folder}, {free >> 20} MB are free;"
            " make room"
        )
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = folder / f"before-{wardkeeper.__version__}-{stamp}.dump"
    dump.write(settings.database.dsn, target)
    log.info("backup.written", extra={"file": target, "size_bytes": target.stat().st_size})
    _forget_old(folder)


def _forget_old(folder: Path) -> None:
    for old in sorted(folder.glob("before-*.dump"), key=lambda file: file.stat().st_mtime)[:-_KEPT_BACKUPS]:
        old.unlink()
