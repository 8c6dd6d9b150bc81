"""Tells an adapter's settings from its secrets, and checks both before anything is stored."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from wardkeeper.acquisition.contract import ConfigError
from wardkeeper.acquisition.registry import Kind, adapter


def separated(name: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """(config, secrets) of a poller, as `given` together. Raises ConfigError: unknown adapter, or wrong settings."""
    found = adapter(name)
    if found.manifest.kind != Kind.POLLER:
        raise ConfigError(f"adapter {name} is a {found.manifest.kind}, it cannot poll")
    found.configured(given)
    secret = {each.name for each in fields(found.config) if each.metadata.get("secret")}
    config = {key: value for key, value in given.items() if key not in secret}
    return config, {key: str(value) for key, value in given.items() if key in secret}
