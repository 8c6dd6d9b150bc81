"""One file with everything that cannot be made again: database, attachments, settings and the secret key.

It is a plain tar: `database.dump` (PostgreSQL's custom format, compressed), `attachments/...`,
`settings.toml`, `secret.key`, and last `manifest.json` with the size and SHA-256 of each part. Whoever
has it can sign in as anybody and open every stored credential: keep it as you keep the key.

Messages that are on their way at that moment are not in it; what they would do is in the database's outbox
or has been done.
"""

import hashlib
import io
import json
import logging
import os
import re
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import wardkeeper
from wardkeeper.runtime import datadir, dump
from wardkeeper.runtime.errors import EngineError, RefusalError
from wardkeeper.runtime.postgres import EmbeddedPostgres
from wardkeeper.settings import Settings

log = logging.getLogger(__name__)

FORMAT = "wardkeeper-backup-1"
RESTORING = "restoring"
_MANIFEST = "manifest.json"
_DATABASE = "database.dump"
_SETTINGS = "settings.toml"
_KEY = "secret.key"
_PART = re.compile(r"database\.dump|settings\.toml|secret\.key|attachments/(?!.*\.\.)[\w./-]+")
_CHUNK_BYTES = 1 << 20


def write(settings: Settings, target: Path, *, config: Path | None, environment: list[str]) -> dict[str, Any]:
    """Writes the file, readable by its owner only, and returns its manifest.

    config        the settings file in use, None if everything came from defaults and the environment
    environment   names, never values, of settings in the environment: they have to be set again
    The database goes first: attachments are stored by hash and never change, so those that
    arrive meanwhile are merely too many.
    Raises RefusalError if `target` exists, EngineError if the dump or the disk fails.
    """
    if target.exists():
        raise RefusalError(f"{target} exists; choose another name or remove it")
    draft = target.with_name(f".{target.name}.part")
    dumped = target.with_name(f".{target.name}.dump")
    try:
        dump.write(settings.database.dsn, dumped)
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            writer = _Writer(file, environment)
            writer.add_file(_DATABASE, dumped)
            attachments = settings.data_dir / "attachments"
            for path in sorted(attachments.rglob("*")):
                if path.is_file():
                    writer.add_file(f"attachments/{path.relative_to(attachments).as_posix()}", path)
            if config is not None:
                writer.add_file(_SETTINGS, config)
            writer.add_bytes(_KEY, settings.secret_key.encode())
            manifest = writer.finish()
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        raise EngineError(f"cannot write {target}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
        dumped.unlink(missing_ok=True)
    return manifest


def restore(source: Path, settings: Settings) -> dict[str, Any]:
    """Fills an empty data directory (and database, if the settings name one) and returns the manifest.

    Everything is verified before anything is written; if it fails later, the directory is empty again.
    Raises RefusalError if the directory holds anything or the file does not verify.
    """
    with _opened(source) as archive:
        manifest = verify(archive, source)
        data_dir = datadir.make(settings.data_dir)
        if any(data_dir.iterdir()):
            raise RefusalError(f"data directory {data_dir} is not empty; restore into an empty --data")
        mark = data_dir / RESTORING
        mark.touch()
        try:
            _unpack(archive, manifest, data_dir)
            _fill_database(data_dir, settings.database.dsn)
        except BaseException:
            _empty(data_dir)
            raise
        (data_dir / _DATABASE).unlink()
        mark.unlink()
    return manifest


def verify(archive: tarfile.TarFile, source: Path) -> dict[str, Any]:
    """The manifest, after every part was compared with it. Raises RefusalError."""
    try:
        file = archive.extractfile(_MANIFEST)
        manifest: dict[str, Any] = json.loads(file.read()) if file else {}
    except (KeyError, ValueError, tarfile.TarError) as error:
        raise RefusalError(f"{source} is not a whole Wardkeeper backup: no readable {_MANIFEST}") from error
    if manifest.get("format") != FORMAT:
        raise RefusalError(f"{source} has format {manifest.get('format')!r}, this program reads {FORMAT}")
    parts: dict[str, dict[str, Any]] = manifest["parts"]
    found = {member.name: member for member in archive.getmembers() if member.name != _MANIFEST}
    if set(found) != set(parts) or not {_DATABASE, _KEY} <= set(found):
        raise RefusalError(f"{source} does not hold what its manifest lists")
    for name, member in found.items():
        if not member.isreg() or not _PART.fullmatch(name):
            raise RefusalError(f"{source} holds {name!r}, which no backup has")
        content = archive.extractfile(member)
        if content is None or _digest(content) != parts[name]["sha256"]:
            raise RefusalError(f"{source}: {name} is damaged (its SHA-256 differs from the manifest's)")
    return manifest


@dataclass
class _Writer:
    file: IO[bytes]
    environment: list[str]

    def __post_init__(self) -> None:
        self._tar = tarfile.open(fileobj=self.file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by `finish`
        self._parts: dict[str, dict[str, Any]] = {}

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as content:
            self._add(name, content, os.fstat(content.fileno()).st_size)

    def add_bytes(self, name: str, content: bytes) -> None:
        self._add(name, io.BytesIO(content), len(content))

    def finish(self) -> dict[str, Any]:
        manifest = {
            "format": FORMAT,
            "wardkeeper": wardkeeper.__version__,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "environment": self.environment,
            "parts": self._parts,
        }
        self.add_bytes(_MANIFEST, json.dumps(manifest, indent=1).encode())
        self._tar.close()
        return manifest

    def _add(self, name: str, content: IO[bytes], size: int) -> None:
        header = tarfile.TarInfo(name)
        header.size, header.mode, header.mtime = size, 0o600, int(time.time())
        start = self.file.tell()
        self._tar.addfile(header, content)
        # Hashed as written, not as read before: the two could differ.
        end = self.file.tell()
        padding = -size % tarfile.BLOCKSIZE
        self.file.seek(end - padding - size)
        digest = hashlib.sha256()
        left = size
        while left and (chunk := self.file.read(min(left, _CHUNK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
        self.file.seek(end)
        log.debug("backup.part", extra={"part": name, "size_bytes": size, "at": start})
        self._parts[name] = {"size": size, "sha256": digest.hexdigest()}


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, mode="r:") as archive:
            yield archive
    except (tarfile.TarError, FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise RefusalError(f"{source} is not a readable Wardkeeper backup: {error}") from error


def _unpack(archive: tarfile.TarFile, manifest: dict[str, Any], data_dir: Path) -> None:
    for name in manifest["parts"]:
        target = data_dir / (name if name != _SETTINGS else "wardkeeper.toml")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = archive.extractfile(name)
        if content is None:
            raise RefusalError(f"{name} cannot be read")
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copyfileobj(content, file, _CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())


def _fill_database(data_dir: Path, dsn: str) -> None:
    if dsn:
        dump.read(dsn, data_dir / _DATABASE)
        return
    with EmbeddedPostgres(data_dir) as postgres:
        dump.read(postgres.dsn, data_dir / _DATABASE)


def _empty(data_dir: Path) -> None:
    place = EmbeddedPostgres(data_dir).place.cluster if (data_dir / "postgres").exists() else None
    if place is not None:
        shutil.rmtree(place.parent, ignore_errors=True)
    for path in data_dir.iterdir():
        with suppress(FileNotFoundError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
