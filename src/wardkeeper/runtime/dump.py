"""pg_dump and pg_restore: the packaged ones, or the machine's where those cannot reach the server."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg

from wardkeeper.runtime.errors import EngineError, RefusalError
from wardkeeper.runtime.postgres_place import packaged


def write(dsn: str, target: Path) -> None:
    """A dump in PostgreSQL's custom format, one consistent snapshot. Raises EngineError."""
    draft = target.with_name(f".{target.name}.part")
    draft.touch(mode=0o600)
    try:
        _run("pg_dump", dsn, ["--format=custom", "--no-owner", "--no-privileges", f"--file={draft}"])
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def read(dsn: str, source: Path) -> None:
    """Fills an empty database. Raises RefusalError if it is not empty, EngineError if it fails."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchone()
    if row and row[0]:
        raise RefusalError("the database is not empty; restore into an empty one")
    # One transaction: a restore that fails leaves nothing behind.
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run("pg_restore", dsn, [*options, "--dbname", _database(dsn), str(source)])


def _run(program: str, dsn: str, options: Sequence[str]) -> None:
    errors = []
    for path in _programs(program, dsn):
        done = subprocess.run(
            [path, *options],
            check=False,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", **_connection(dsn)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            return
        errors.append(re.sub(r"\s+", " ", done.stderr).strip())
    raise EngineError(f"{program} failed: {'; '.join(errors)}")


def _programs(name: str, dsn: str) -> Iterator[str]:
    """The packaged one is built without TLS and is of one version: an external server may want the machine's."""
    machine = shutil.which(name)
    if machine and urlsplit(dsn).hostname:
        yield machine
    yield str(packaged() / "bin" / name)


def _connection(dsn: str) -> dict[str, str]:
    """As environment variables: an argument would show the password to every user of the machine."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    names = {
        "PGHOST": unquote(parts.hostname or "") or query.get("host"),
        "PGPORT": str(parts.port or query.get("port") or ""),
        "PGUSER": unquote(parts.username or "") or query.get("user"),
        "PGPASSWORD": unquote(parts.password or "") or query.get("password"),
        "PGDATABASE": _database(dsn),
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": query.get("sslrootcert"),
    }
    return {name: value for name, value in names.items() if value}


def _database(dsn: str) -> str:
    return unquote(urlsplit(dsn).path.lstrip("/")) or "wardkeeper"
