"""Whether the database and the collected static files already fit this program, without loading Django.

The second start need not run migrations: it compares one hash of everything that could change them.
"""

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import psycopg

import wardkeeper

_HOUSE = Path(wardkeeper.__file__).parent
_MARK = "wardkeeper:"


def of_migrations() -> str:
    """Changes with any migration, any room's `setup.py`, and with the libraries that bring migrations."""
    files = [*_HOUSE.rglob("migrations/*.py"), *_HOUSE.rglob("sql/*.sql"), *_HOUSE.rglob("setup.py")]
    return _hash(files, libraries=("django", "procrastinate"), by_content=True)


def of_static() -> str:
    """Changes with any static file and with the library that packs them."""
    files = [file for folder in _HOUSE.rglob("static") for file in folder.rglob("*") if file.is_file()]
    return _hash(files, libraries=("django", "whitenoise", "django-ninja"), by_content=False)


def in_database(connection: psycopg.Connection) -> str:
    """What `record` wrote, empty if nothing."""
    row = connection.execute("SELECT obj_description(to_regclass('django_migrations'))").fetchone()
    return (row[0] or "").removeprefix(_MARK) if row else ""


def record(dsn: str, fingerprint: str) -> None:
    """Notes that the database fits. Kept as a comment, so that dumps carry it and no table is needed."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        text = psycopg.sql.Literal(_MARK + fingerprint)
        connection.execute(psycopg.sql.SQL("COMMENT ON TABLE django_migrations IS {}").format(text))


def _hash(files: Iterable[Path], *, libraries: Iterable[str], by_content: bool) -> str:
    state = hashlib.sha256()
    for name in libraries:
        state.update(f"{name} {version(name)}\n".encode())
    for file in sorted(files):
        state.update(f"{file.relative_to(_HOUSE)}\n".encode())
        if by_content:
            state.update(file.read_bytes())
        else:
            facts = file.stat()
            state.update(f"{facts.st_size} {facts.st_mtime_ns}\n".encode())
    return state.hexdigest()
