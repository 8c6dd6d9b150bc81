"""docs/reference/adapters.md, from the manifests and the adapters' own Config."""

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from scripts.reference.markdown import code, described, page, table
from wardkeeper.acquisition.registry import LADDER, Manifest, adapter, manifests

INTRODUCTION = """
An adapter speaks one protocol to the outside. A listener waits for what devices send, a poller asks them.
`wardkeeper adapter list` prints this table, `wardkeeper adapter try NAME KEY=VALUE ...` runs one in the
terminal.
"""
REPOSITORY_PATH = "src/wardkeeper/acquisition/adapters"


def known() -> Mapping[str, Manifest]:
    """The built-in ones: what else is installed on the machine at hand is not ours to document."""
    return {
        name: manifest
        for name, manifest in sorted(manifests().items())
        if manifest.package.startswith("wardkeeper.")
    }


def default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return ""


def config_fields(name: str) -> list[tuple[dataclasses.Field[Any], str]]:
    """Fields of the adapter's Config, each with what its docstring says of it."""
    config = adapter(name).config
    meanings = described(inspect.cleandoc(config.__doc__ or ""))[1]
    return [(field, meanings.get(field.name, "")) for field in dataclasses.fields(config)]


def config_table(name: str) -> str:
    rows = []
    for field, meaning in config_fields(name):
        has_default = not (field.default is field.default_factory is dataclasses.MISSING)
        rows.append((code(field.name), code(repr(default_of(field))) if has_default else "required", meaning))
    return table(("key", "default", "meaning"), rows) if rows else "It has no settings."


def reference() -> str:
    overview = table(
        ("adapter", "kind", "standard", "port"),
        [
            (
                f"[{manifest.name}](#{manifest.name})",
                manifest.kind.value,
                ", ".join(manifest.standard),
                ", ".join(f"{port}/{transport}" for transport, port in manifest.port.items()),
            )
            for manifest in known().values()
        ],
    )
    return page("Adapters", INTRODUCTION, overview, *(_section(manifest) for manifest in known().values()))


def _section(manifest: Manifest) -> str:
    emits = ", ".join(code(one) for one in manifest.emits)
    requires = ", ".join(manifest.requires)
    quality = table(LADDER, [[manifest.quality[step] for step in LADDER]])
    parts = [
        f"## {manifest.name}",
        f"{manifest.title['en']} · {manifest.title['zh-hans']}.",
        f"How to set up the device: `{REPOSITORY_PATH}/{manifest.name}/README.md`.",
        f"Emits {emits}." + (f" Needs {requires}." if requires else ""),
        config_table(manifest.name),
        quality,
    ]
    return "\n\n".join(parts)
