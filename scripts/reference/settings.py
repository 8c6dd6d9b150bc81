"""docs/reference/settings.md and deploy/wardkeeper.example.toml, from `wardkeeper.settings.schema`."""

import dataclasses
import json
from typing import Any

from scripts.reference import adapters
from scripts.reference.markdown import code, page, table
from wardkeeper.acquisition.registry import Kind
from wardkeeper.settings.load import Known, known
from wardkeeper.settings.schema import Settings
from wardkeeper.settings.value import allowed

INTRODUCTION = """
One TOML file holds what a hospital decides: `--config FILE`, else `WARDKEEPER_CONFIG`, else `wardkeeper.toml`
in the data directory if it is there. The data directory is `--data DIR`, else `WARDKEEPER_DATA`, else
`~/.local/share/wardkeeper`. Every setting may be left out.

Each setting can also come from the environment: `web.listen` from `WARDKEEPER_WEB_LISTEN`, lists separated by
commas. A secret can be kept in a file of its own: `WARDKEEPER_DATABASE_DSN_FILE=/run/secrets/dsn`, or in the
settings file `dsn_file = "dsn"`, relative to it. The environment wins over a file that a variable names, that
over the settings file, and that over the default. Adapters are written with two underscores:
`WARDKEEPER_ADAPTERS_SYSLOG__PORT`.

A wrong key or value is refused at start, with its path, where it stands, and what is allowed.
`wardkeeper check` prints each value with its origin.
"""


def _default(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _sections() -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = {}
    for entry in known().values():
        found.setdefault(entry.section, []).append(entry)
    return found


def _meaning(section: str) -> str:
    for outer in dataclasses.fields(Settings):
        if outer.name == section and isinstance(outer.type, type):
            text = outer.type.__doc__ or ""
            # A dataclass without a docstring gets its signature for one.
            return "" if text.startswith(f"{outer.type.__name__}(") else text.strip()
    return ""


def reference() -> str:
    parts = [INTRODUCTION]
    for section, entries in sorted(_sections().items(), key=lambda item: item[0] != ""):
        rows = [
            (
                code(entry.path),
                code(_default(entry.field.default)) if not entry.is_secret else "",
                allowed(entry.field),
                entry.field.metadata["help"] + (" Secret." if entry.is_secret else ""),
            )
            for entry in entries
        ]
        parts += [f"## [{section}]" if section else "## At the top", _meaning(section)]
        parts.append(table(("setting", "default", "takes", "meaning"), rows))
    parts += ["## [adapters.NAME]", "Listening adapters. `enabled = false` turns one off."]
    for name, manifest in adapters.known().items():
        if manifest.kind is not Kind.POLLER:
            parts += [f"### [adapters.{name}]", adapters.config_table(name)]
    return page("Settings", *parts)


def example() -> str:
    lines = [
        "# Every setting of Wardkeeper with its default. Made by `make docs`.",
        "# Put it as wardkeeper.toml into the data directory, or name it with --config or WARDKEEPER_CONFIG,",
        "# and take the # from what you change. docs/reference/settings.md says more.",
        "",
    ]
    for section, entries in sorted(_sections().items(), key=lambda item: item[0] != ""):
        if section:
            lines.append(f"[{section}]")
        for entry in entries:
            lines.append(f"# {entry.field.metadata['help']} Takes {allowed(entry.field)}.")
            if entry.is_secret:
                lines.append(f'# {entry.field.name}_file = "{entry.field.name}"')
            lines += [f"# {entry.field.name} = {_default(entry.field.default)}", ""]
    for name, manifest in adapters.known().items():
        if manifest.kind is Kind.POLLER:
            continue
        lines += [f"[adapters.{name}]", "# enabled = true"]
        for field, meaning in adapters.config_fields(name):
            if meaning:
                lines.append(f"# {meaning}")
            lines.append(f"# {field.name} = {_toml(field)}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _toml(field: dataclasses.Field[Any]) -> str:
    value = adapters.default_of(field)
    if isinstance(value, str | int | float | bool):
        return json.dumps(value)
    return json.dumps(list(value)) if isinstance(value, tuple | list) else "{}"
