"""One TOML file and the environment become one frozen Settings."""

from wardkeeper.settings.errors import SettingsError
from wardkeeper.settings.load import Loaded, current, data_directory, explain, load
from wardkeeper.settings.schema import Settings
from wardkeeper.settings.secret import ensure_secret_key

__all__ = [
    "Loaded",
    "Settings",
    "SettingsError",
    "current",
    "data_directory",
    "ensure_secret_key",
    "explain",
    "load",
]
