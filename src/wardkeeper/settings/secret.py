"""The installation's key: made once, kept beside the data, readable by its owner only."""

import os
import secrets
from pathlib import Path

from wardkeeper.settings.errors import SettingsError
from wardkeeper.settings.load import explain

KEY_BYTES = 48
OWNER_ONLY = 0o600
READABLE_BY_OTHERS = 0o077


def ensure_secret_key(data_dir: Path) -> str:
    """The key that signs sessions and seals credentials; makes `<data_dir>/secret.key` if there is none.

    A key set by WARDKEEPER_SECRET_KEY, its `_FILE` or the settings file wins, and then no file is made.
    Two processes that start at once agree on one key: the file appears whole or not at all.
    Raises SettingsError if the file cannot be made.
    """
    present = explain(data=data_dir).settings.secret_key
    file = data_dir / "secret.key"
    if present:
        if file.is_file() and file.stat().st_mode & READABLE_BY_OTHERS:
            file.chmod(OWNER_ONLY)
        return present
    fresh = data_dir / f".secret.key.{os.getpid()}"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="ascii") as target:
            target.write(secrets.token_urlsafe(KEY_BYTES))
            target.flush()
            os.fsync(target.fileno())
        try:
            # link() fails if somebody was faster, where rename() would replace a key already in use.
            os.link(fresh, file)
        except FileExistsError:
            return file.read_text(encoding="ascii").strip()
        return fresh.read_text(encoding="ascii")
    except OSError as error:
        raise SettingsError([f"secret_key: {file} cannot be made: {error}"]) from error
    finally:
        fresh.unlink(missing_ok=True)
