"""Reads the settings. First wins: environment, file, default."""

import os
from functools import cache
from pathlib import Path

from wardkeeper.settings.schema import Bus, Database, Settings


def load(config: Path | None = None, data: Path | None = None) -> Settings:
    chosen = data or Path(os.environ.get("WARDKEEPER_DATA") or Path.home() / ".local/share/wardkeeper")
    key_file = chosen / "secret.key"
    return Settings(
        data_dir=chosen,
        database=Database(dsn=os.environ.get("WARDKEEPER_DATABASE_DSN", "")),
        bus=Bus(url=os.environ.get("WARDKEEPER_BUS_URL", "")),
        secret_key=os.environ.get("WARDKEEPER_SECRET_KEY") or (key_file.read_text() if key_file.exists() else "unset"),
    )


@cache
def current() -> Settings:
    """The settings of this process, from WARDKEEPER_CONFIG and WARDKEEPER_DATA."""
    config = os.environ.get("WARDKEEPER_CONFIG")
    return load(config=Path(config) if config else None)
