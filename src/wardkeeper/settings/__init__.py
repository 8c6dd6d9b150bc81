"""One TOML file and the environment become one frozen Settings."""

from wardkeeper.settings.load import current, load
from wardkeeper.settings.schema import Settings

__all__ = ["Settings", "current", "load"]
