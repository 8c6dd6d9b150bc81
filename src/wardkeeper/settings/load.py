"""Reads the settings. First wins: environment, file that a `..._FILE` variable names, settings file."""

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from wardkeeper.settings.errors import SettingsError
from wardkeeper.settings.schema import Settings
from wardkeeper.settings.value import Refused, from_environment, from_file

PREFIX = "WARDKEEPER_"
# Variables that are no settings: where to look, and what the supervisor hands to its children.
NO_SETTINGS = {"CONFIG", "DATA", "SOCKETS"}
NO_SETTINGS_PREFIXES = ("TEST_", "INTERNAL_")
FILE_NAME = "wardkeeper.toml"
DEFAULT_DATA = ".local/share/wardkeeper"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and, for each path such as "web.listen", where its value came from."""

    settings: Settings
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """One setting that exists: `section` is "" for the few at the top."""

    section: str
    field: dataclasses.Field[Any]

    @property
    def path(self) -> str:
        return f"{self.section}.{self.field.name}" if self.section else self.field.name

    @property
    def variable(self) -> str:
        return PREFIX + self.path.replace(".", "_").upper()

    @property
    def is_secret(self) -> bool:
        return bool(self.field.metadata.get("secret"))


def known() -> dict[str, Known]:
    """Every setting by its path, in the order of the schema. `adapters` and `data_dir` are read elsewhere."""
    found: dict[str, Known] = {}
    for outer in dataclasses.fields(Settings):
        if isinstance(outer.type, type) and dataclasses.is_dataclass(outer.type):
            entries = [Known(outer.name, inner) for inner in dataclasses.fields(outer.type)]
        elif outer.name in {"adapters", "data_dir"}:
            continue
        else:
            entries = [Known("", outer)]
        found.update({entry.path: entry for entry in entries})
    return found


def data_directory(data: Path | None = None) -> Path:
    """`--data`, else WARDKEEPER_DATA, else ~/.local/share/wardkeeper; always absolute."""
    return Path(data or os.environ.get(PREFIX + "DATA") or Path.home() / DEFAULT_DATA).expanduser().absolute()


class _Reader:
    """Collects values and problems, so that one start names every mistake and not only the first."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.known = known()
        self.environment = environment
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.adapters: dict[str, dict[str, Any]] = {}
        self.problems: list[str] = []

    def read_file(self, path: Path) -> None:
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise SettingsError([f"{path}: not TOML: {error}"]) from error
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError([f"{path}: cannot be read: {error}"]) from error
        for name, content in document.items():
            if name == "adapters":
                self._read_adapters(content, path)
            elif isinstance(content, dict):
                for key, value in content.items():
                    self._take_from_file(f"{name}.{key}", value, path)
            else:
                self._take_from_file(name, content, path)

    def _read_adapters(self, content: object, path: Path) -> None:
        if not isinstance(content, dict) or not all(isinstance(table, dict) for table in content.values()):
            self.problems.append(f"adapters in {path}: wants one table an adapter, such as [adapters.syslog]")
            return
        for name, table in content.items():
            self.adapters[name] = dict(table)
            self.origins.update({f"adapters.{name}.{key}": str(path) for key in table})

    def _take_from_file(self, name: str, value: object, path: Path) -> None:
        entry = self.known.get(name)
        if (
            entry is None
            and name.endswith("_file")
            and (target := self.known.get(name.removesuffix("_file")))
        ):
            self._take_secret(target, str(value), f"{name} in {path}", base=path.parent)
            return
        if entry is None:
            hint = "; data_dir is --data or WARDKEEPER_DATA" if name == "data_dir" else self._nearest(name)
            self.problems.append(f"{name} in {path}: there is no such setting{hint}")
            return
        try:
            self.values[name] = from_file(entry.field, value)
            self.origins[name] = str(path)
        except Refused as wanted:
            shown = "the value" if entry.is_secret else repr(value)
            self.problems.append(f"{name} in {path}: {shown} is not allowed; it takes {wanted}")

    def _take_secret(self, entry: Known, file: str, origin: str, *, base: Path) -> None:
        try:
            text = (base / Path(file).expanduser()).read_text(encoding="utf-8").strip()
            self.values[entry.path] = from_environment(entry.field, text)
            self.origins[entry.path] = origin
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{entry.path} ({origin}): {file} cannot be read: {error}")
        except Refused as wanted:
            self.problems.append(
                f"{entry.path} ({origin}): what {file} holds is not allowed; it takes {wanted}"
            )

    def read_environment(self) -> None:
        by_variable = {entry.variable: entry for entry in self.known.values()}
        # The `_FILE` ones first: a value given outright wins over one kept in a file.
        for variable in sorted(self.environment, key=lambda name: (not name.endswith("_FILE"), name)):
            if variable.startswith(PREFIX):
                self._take_variable(variable, by_variable)

    def _take_variable(self, variable: str, by_variable: Mapping[str, Known]) -> None:
        text, name = self.environment[variable], variable.removeprefix(PREFIX)
        if name in NO_SETTINGS or name.startswith(NO_SETTINGS_PREFIXES):
            return
        if name.startswith("ADAPTERS_"):
            self._take_adapter_variable(variable, text)
        elif (entry := by_variable.get(variable)) is not None:
            try:
                self.values[entry.path] = from_environment(entry.field, text)
                self.origins[entry.path] = variable
            except Refused as wanted:
                shown = "the value" if entry.is_secret else repr(text)
                self.problems.append(f"{entry.path} ({variable}): {shown} is not allowed; it takes {wanted}")
        elif (target := by_variable.get(variable.removesuffix("_FILE"))) is not None:
            self._take_secret(target, text, variable, base=Path.cwd())
        else:
            near = difflib.get_close_matches(variable, by_variable, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self.problems.append(f"{variable} in the environment: there is no such setting{hint}")

    def _take_adapter_variable(self, variable: str, text: str) -> None:
        """WARDKEEPER_ADAPTERS_SNMP_TRAP__PORT: two underscores, because adapters have one in their names."""
        name, separator, key = variable.removeprefix(PREFIX + "ADAPTERS_").lower().partition("__")
        if not separator or not key:
            self.problems.append(
                f"{variable} in the environment: wants two underscores between adapter and key"
            )
            return
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        self.adapters.setdefault(name, {})[key] = value
        self.origins[f"adapters.{name}.{key}"] = variable

    def _nearest(self, name: str) -> str:
        section = name.partition(".")[0]
        sections = sorted({entry.section for entry in self.known.values() if entry.section} | {"adapters"})
        if "." in name and section not in sections:
            return f"; the sections are {', '.join(sections)}"
        near = difflib.get_close_matches(name, self.known, n=1)
        if near:
            return f"; did you mean {near[0]}?"
        keys = [entry.field.name for entry in self.known.values() if entry.section == section]
        return f"; [{section}] has {', '.join(keys)}" if keys else f"; the sections are {', '.join(sections)}"


def explain(config: Path | None = None, data: Path | None = None) -> Loaded:
    """Settings with the origin of each. Raises SettingsError, which names every mistake at once."""
    chosen = data_directory(data)
    reader = _Reader(os.environ)
    if config is None and (named := os.environ.get(PREFIX + "CONFIG")):
        config = Path(named)
    if config is not None:
        reader.read_file(config.expanduser().absolute())
    elif (chosen / FILE_NAME).is_file():
        reader.read_file(chosen / FILE_NAME)
    reader.read_environment()
    if reader.problems:
        raise SettingsError(reader.problems)
    if not reader.values.get("secret_key"):
        _read_secret_key(reader, chosen)
    return Loaded(settings=_assemble(reader, chosen), origins=dict(reader.origins))


def _read_secret_key(reader: _Reader, data_dir: Path) -> None:
    file = data_dir / "secret.key"
    if file.is_file():
        try:
            reader.values["secret_key"] = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError([f"secret_key: {file} cannot be read: {error}"]) from error
        reader.origins["secret_key"] = str(file)


def _assemble(reader: _Reader, data_dir: Path) -> Settings:
    sections: dict[str, Any] = {}
    for outer in dataclasses.fields(Settings):
        if isinstance(outer.type, type) and dataclasses.is_dataclass(outer.type):
            own = {
                entry.field.name: reader.values[path]
                for path, entry in reader.known.items()
                if entry.section == outer.name and path in reader.values
            }
            sections[outer.name] = outer.type(**own)
    return Settings(
        data_dir=data_dir,
        adapters=reader.adapters,
        secret_key=reader.values.get("secret_key", ""),
        **sections,
    )


def load(config: Path | None = None, data: Path | None = None) -> Settings:
    """The settings from `config` (else WARDKEEPER_CONFIG, else `<data>/wardkeeper.toml` if it is there)."""
    return explain(config, data).settings


@cache
def current() -> Settings:
    """The settings of this process, from WARDKEEPER_CONFIG and WARDKEEPER_DATA."""
    return load()
