"""Which adapters exist. Built-in ones are folders of `adapters/`; others come by an entry point group."""

import importlib
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import metadata, resources
from types import ModuleType
from typing import Any

import msgspec

from wardkeeper.acquisition.config import configure
from wardkeeper.acquisition.contract import ConfigError, Device, Emit, PacedEmit, Poll

GROUP = "wardkeeper.adapters"
_BUILT_IN = "wardkeeper.acquisition.adapters"

LADDER = ("samples", "fuzzed", "integration", "documented", "bounded", "private", "measured")
"""The steps of quality that a manifest answers, each with `done`, `todo` or `exempt: why`.

samples      every vendor's form we know has raw input and expected output
fuzzed       any bytes give an observation or Malformed, nothing else
integration  tested against a real peer, not ours
documented   README says what is sent, what is kept and how to set up the device
bounded      memory, time and connections have limits
private      what could name a patient is taken out before emit, shown with a canary
measured     a bench gives its rate
"""


class ManifestError(Exception):
    """A manifest.toml is missing, unreadable or incomplete; the text says which and what."""


class Kind(StrEnum):
    LISTENER = "listener"
    POLLER = "poller"
    INBOX = "inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an adapter says about itself.

    title     by language tag, "en" and "zh-hans"
    standard  the documents that it implements
    port      default port by transport, e.g. {"udp": 9514}
    requires  Python modules beyond the collector's own, programs, capabilities
    emits     message classes and, for pollers, the series
    quality   step of LADDER -> "done", "todo" or "exempt: why"
    package   where adapter.py is; filled in by the scan
    """

    name: str
    title: Mapping[str, str]
    kind: Kind
    standard: tuple[str, ...] = ()
    port: Mapping[str, int] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    emits: tuple[str, ...] = ()
    quality: Mapping[str, str] = field(default_factory=dict)
    package: str = ""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A loaded adapter. A poller has `poll`, a listener or inbox has `run`."""

    manifest: Manifest
    config: type[Any]
    run: Callable[[Any, PacedEmit], Awaitable[None]] | None
    poll: Poll | None
    forget: Callable[[str], None]

    async def listen(self, config: Any, emit: PacedEmit) -> None:
        """`run`; raises ConfigError if it is a poller."""
        if self.run is None:
            raise ConfigError(f"adapter {self.manifest.name} is a {self.manifest.kind}, it cannot listen")
        await self.run(config, emit)

    async def ask(self, device: Device, emit: Emit) -> None:
        """`poll`; raises ConfigError if it is none."""
        if self.poll is None:
            raise ConfigError(f"adapter {self.manifest.name} is a {self.manifest.kind}, it cannot poll")
        await self.poll(device, emit)

    def configured(self, given: Mapping[str, Any]) -> Any:
        """Raises ConfigError."""
        return configure(self.config, given)


def parse(text: str, package: str) -> Manifest:
    """The Manifest written in `text`. Raises ManifestError."""
    try:
        table = tomllib.loads(text)
        manifest = msgspec.convert({**table, "package": package}, Manifest)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ManifestError(f"{package}/manifest.toml: {error}") from error
    unknown = sorted(set(table) - set(Manifest.__dataclass_fields__) | set(manifest.quality) - set(LADDER))
    missing = [step for step in LADDER if step not in manifest.quality]
    vague = [
        step
        for step, answer in manifest.quality.items()
        if answer not in ("done", "todo") and not answer.startswith("exempt: ")
    ]
    if unknown or missing or vague or not {"en", "zh-hans"} <= set(manifest.title):
        raise ManifestError(
            f"{package}/manifest.toml: unknown keys {unknown}, quality steps missing {missing}, "
            f"answered otherwise than done, todo or `exempt: why` {vague}; "
            f"titles wanted in en and zh-hans, given {sorted(manifest.title)}"
        )
    return manifest


def _packages() -> Iterator[str]:
    for folder in sorted(resources.files(_BUILT_IN).iterdir(), key=lambda each: each.name):
        if folder.is_dir() and folder.joinpath("manifest.toml").is_file():
            yield f"{_BUILT_IN}.{folder.name}"
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda each: each.name):
        yield entry.module


@cache
def manifests() -> Mapping[str, Manifest]:
    """Every adapter by name. Reads manifests only: no adapter's code is imported.

    A third party cannot take the name of a built-in one. Raises ManifestError.
    """
    found: dict[str, Manifest] = {}
    for package in _packages():
        manifest = parse(resources.files(package).joinpath("manifest.toml").read_text("utf-8"), package)
        if manifest.name in found:
            raise ManifestError(
                f"adapter {manifest.name!r}: both {found[manifest.name].package} and {package}"
            )
        found[manifest.name] = manifest
    return found


@cache
def adapter(name: str) -> Adapter:
    """The adapter `name`, its code imported. Raises ConfigError if there is none, or it is incomplete."""
    manifest = manifests().get(name)
    if manifest is None:
        raise ConfigError(f"no adapter {name!r}; there are: {', '.join(sorted(manifests()))}")
    module = importlib.import_module(f"{manifest.package}.adapter")
    _complete(manifest, module)
    return Adapter(
        manifest=manifest,
        config=module.Config,
        run=getattr(module, "run", None),
        poll=getattr(module, "poll", None),
        forget=getattr(module, "forget", _nothing_remembered),
    )


def chosen(adapters: Mapping[str, Mapping[str, Any]], name: str) -> tuple[bool, dict[str, Any]]:
    """(whether the listener `name` shall run, its settings) by the `[adapters.<name>]` tables."""
    given = dict(adapters.get(name, {}))
    # From the environment it is text.
    enabled = given.pop("enabled", True)
    return str(enabled).lower() not in ("false", "0", "no", "off"), given


def problems(adapters: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with the `[adapters.<name>]` tables, each with its path and what is allowed."""
    listeners = [name for name, each in manifests().items() if each.kind is not Kind.POLLER]
    found = []
    for name in adapters:
        if name not in listeners:
            found.append(f"adapters.{name}: no listening adapter; there are: {', '.join(listeners)}")
            continue
        try:
            adapter(name).configured(chosen(adapters, name)[1])
        except ConfigError as error:
            found.append(f"adapters.{name}: {error}")
    return found


def _complete(manifest: Manifest, module: ModuleType) -> None:
    wanted = "poll" if manifest.kind is Kind.POLLER else "run"
    missing = [name for name in ("Config", wanted) if not hasattr(module, name)]
    if missing:
        raise ConfigError(
            f"{manifest.package}.adapter lacks {', '.join(missing)}; a {manifest.kind} must have it"
        )


def _nothing_remembered(target: str) -> None:
    """For adapters that keep nothing between polls."""
