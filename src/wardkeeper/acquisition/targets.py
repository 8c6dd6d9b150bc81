"""The targets of this collector, kept on disk so that it polls on while the server is away."""

import logging
from pathlib import Path

import msgspec

from wardkeeper.acquisition.counters import write_atomically
from wardkeeper.messages import TargetsAssigned

log = logging.getLogger(__name__)


def load(path: Path) -> TargetsAssigned | None:
    """The last assignment, or None if there was none or the file cannot be read.

    Unreadable is logged and forgotten, not fatal: the server is asked at every start.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=TargetsAssigned)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("targets.unreadable path=%s error=%s", path, error)
        return None


def save(path: Path, assigned: TargetsAssigned) -> None:
    """Secrets stay sealed as they came; the file is for this user only. Raises OSError."""
    write_atomically(path, msgspec.json.encode(assigned), mode=0o600)
