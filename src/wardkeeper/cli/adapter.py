"""`wardkeeper adapter list|try`: which adapters there are, and one of them run in the terminal.

`try` prints one JSON line per observation and touches nothing else: no bus, no database, no data directory.
A poller polls once, or again and again with `interval=SECONDS`; a listener runs until Ctrl-C or `count=N`.
"""

import argparse
import asyncio
import json
import math
import os
import struct
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields as fields_of
from typing import Any

import msgspec

from wardkeeper.acquisition import registry
from wardkeeper.acquisition.contract import ConfigError, Device
from wardkeeper.acquisition.registry import Adapter, Kind, Manifest
from wardkeeper.acquisition.scheduler import timeout_of
from wardkeeper.messages import DeviceDescribed, Message, ObservationsReceived, SamplesCollected
from wardkeeper.settings import current

MISUSE = 2
_ONCE_S = 60.0


def arguments(parser: argparse.ArgumentParser) -> None:
    sub = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = sub.add_parser("list", help="every adapter, built in or installed")
    listing.add_argument("--json", action="store_true", help="one JSON line per adapter")
    trying = sub.add_parser("try", help="run one here, one JSON line per observation")
    trying.add_argument("name", metavar="NAME")
    trying.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="the adapter's own settings; count=N ends after N observations (or polls), interval=SECONDS "
        "polls again and again; a value that begins with [ or { is JSON",
    )


def run(args: argparse.Namespace) -> int:
    if args.action == "list":
        return _list(as_json=args.json)
    try:
        adapter = registry.adapter(args.name)
        given = _given(args.settings)
        # A trial must not touch what a running collector keeps: engine id, journal of the queue.
        with tempfile.TemporaryDirectory(prefix="wardkeeper-try-") as folder:
            os.environ["WARDKEEPER_DATA"] = folder
            current.cache_clear()
            asyncio.run(_try(adapter, given))
    except ConfigError as error:
        print(f"wardkeeper: {args.name}: {error}", file=sys.stderr)
        return MISUSE
    except OSError as error:
        print(f"wardkeeper: {args.name}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _list(*, as_json: bool) -> int:
    for manifest in registry.manifests().values():
        if as_json:
            print(json.dumps(msgspec.to_builtins(manifest), ensure_ascii=False))
        else:
            print(_line(manifest))
    return 0


def _line(manifest: Manifest) -> str:
    ports = " ".join(f"{port}/{transport}" for transport, port in manifest.port.items())
    todo = [step for step, answer in manifest.quality.items() if answer == "todo"]
    wanting = f"  (todo: {', '.join(todo)})" if todo else ""
    return f"{manifest.name:<12} {manifest.kind:<9} {ports:<18} {manifest.title['en']}{wanting}"


def _given(words: Sequence[str]) -> dict[str, Any]:
    """KEY=VALUE words as settings. Raises ConfigError."""
    given: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"{word!r} is not KEY=VALUE")
        given[key] = value
        if value.startswith(("[", "{")):
            try:
                given[key] = json.loads(value)
            except ValueError as error:
                raise ConfigError(f"{key}: no valid JSON: {error}") from error
    return given


def _number(given: dict[str, Any], name: str, adapter: Adapter) -> float | None:
    """Takes `name` out of the settings, unless the adapter has a setting of that name itself."""
    if name not in given or name in {each.name for each in fields_of(adapter.config)}:
        return None
    text = given.pop(name)
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 < number < math.inf:
        raise ConfigError(f"{name}={text}: a number above 0")
    return number


async def _try(adapter: Adapter, given: dict[str, Any]) -> None:
    count = _number(given, "count", adapter)
    interval_s = _number(given, "interval", adapter)
    if adapter.manifest.kind is Kind.POLLER:
        await _poll(adapter, given, interval_s=interval_s, polls=count or (None if interval_s else 1))
        return
    if interval_s is not None:
        raise ConfigError(f"interval: {adapter.manifest.name} is a {adapter.manifest.kind}, it does not poll")
    config = adapter.configured(given)
    terminal = Terminal(count)
    listening = asyncio.create_task(adapter.listen(config, terminal))
    enough = asyncio.create_task(terminal.enough.wait())
    print(f"listening with {msgspec.to_builtins(_shown(config))}", file=sys.stderr, flush=True)
    await asyncio.wait((listening, enough), return_when=asyncio.FIRST_COMPLETED)
    if listening.done():
        enough.cancel()
        listening.result()
        return
    # One turn for what comes after an observation: the answer to an inform.
    await asyncio.sleep(0)
    listening.cancel()
    await asyncio.wait((listening,))


async def _poll(
    adapter: Adapter, given: Mapping[str, Any], *, interval_s: float | None, polls: float | None
) -> None:
    every_s = interval_s or _ONCE_S
    device = Device(target="try", ci=0, interval_s=every_s, timeout_s=timeout_of(every_s), config=given)
    terminal = Terminal(None)
    done = 0
    while True:
        try:
            async with asyncio.timeout(device.timeout_s):
                await adapter.ask(device, terminal)
        except TimeoutError:
            print(f"no result within {device.timeout_s:.0f} s", file=sys.stderr)
        done += 1
        if polls is not None and done >= polls:
            return
        await asyncio.sleep(every_s)


def _shown(config: Any) -> dict[str, Any]:
    """The settings without what nobody should read over a shoulder."""
    secret = ("users", "communities", "community", "key", "password", "token")
    return {
        each.name: "***" if any(word in each.name for word in secret) else getattr(config, each.name)
        for each in fields_of(config)
    }


class Terminal:
    """A PacedEmit that prints. Malformed input goes to standard error."""

    def __init__(self, count: float | None) -> None:
        self._left = count
        self.enough = asyncio.Event()

    @property
    def collector(self) -> str:
        return "try"

    @property
    def is_full(self) -> bool:
        return False

    def __call__(self, message: Message) -> None:
        for row in rows(message):
            if self._left is not None and self._left <= 0:
                return
            print(json.dumps(row, ensure_ascii=False), flush=True)
            if self._left is not None:
                self._left -= 1
                if self._left <= 0:
                    self.enough.set()

    def malformed(self, raw: bytes, source: str, reason: str) -> None:
        line = {"malformed": reason, "source": source, "size_bytes": len(raw)}
        print(json.dumps(line), file=sys.stderr, flush=True)

    def count(self, name: str, amount: int = 1) -> None:
        """Not shown: what is printed is what came."""

    async def room(self) -> None:
        """There is always."""

    async def durable(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self(message)


def rows(message: Message) -> Iterator[dict[str, Any]]:
    """A message as plain tables, one per observation, without ids."""
    if isinstance(message, ObservationsReceived):
        for seen in message.split():
            yield {
                "at": seen.happened_at.isoformat(timespec="milliseconds"),
                "source": seen.source,
                "kind": seen.kind,
                "fields": dict(seen.fields),
            }
    elif isinstance(message, SamplesCollected):
        names = message.series.split("\n")
        numbers = struct.unpack(f"<{len(message.values) // 8}d", message.values)
        for number, time_ms in enumerate(message.times_ms):
            part = numbers[number * len(names) : (number + 1) * len(names)]
            shown = {
                name: None if math.isnan(value) else value for name, value in zip(names, part, strict=True)
            }
            yield {"kind": "samples", "time_ms": time_ms, "samples": shown}
    else:
        table = msgspec.to_builtins(message)
        kind = "device" if isinstance(message, DeviceDescribed) else message.TOPIC
        hidden = ("id", "happened_at", "collector", "target", "ci")
        yield {"kind": kind, **{name: value for name, value in table.items() if name not in hidden}}
