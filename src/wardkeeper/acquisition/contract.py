"""What an adapter is: a folder of `adapters/` with manifest.toml, adapter.py, decode.py, README.md, samples/.

`adapter.py` has a frozen dataclass `Config` and `async def run(config, emit)`:
cancelled means stop; raising means restarted with back-off; ConfigError means stay down until changed.
A poller has `async def poll(device, emit)` instead: one poll of one target; the scheduler paces them.
It may have `def forget(target)`, called when a target goes, to drop what it remembers between polls.
`decode.py` is pure: bytes in, observation out, or Malformed.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from wardkeeper.messages import Message


class ConfigError(Exception):
    """The adapter cannot run with this configuration; retrying does not help."""


class Malformed(Exception):
    """The bytes are not what the protocol says. `reason` is a short stable code for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Emit(Protocol):
    """Hands facts on. Returns at once; the carrier behind it batches, spools and publishes.

    `collector`  the name of this collector, for the messages
    `malformed`  keeps a bounded sample of the bytes for inspection and counts by reason
    `count`      adds to a counter of this adapter, e.g. "received"
    """

    @property
    def collector(self) -> str: ...

    def __call__(self, message: Message) -> None: ...

    def malformed(self, raw: bytes, source: str, reason: str) -> None: ...

    def count(self, name: str, amount: int = 1) -> None: ...


class PacedEmit(Emit, Protocol):
    """What a listener gets: it can be told to slow down, and can wait until a fact is safe.

    `is_full`  the queue is at its bound: stop reading, so that the kernel or the
               sender holds what comes next, and await `room`
    `durable`  returns when the messages are on the bus or in the spool on disk; only
               then may their sender be told that they arrived
    """

    @property
    def is_full(self) -> bool: ...

    async def room(self) -> None: ...

    async def durable(self, messages: Sequence[Message]) -> None: ...


@dataclass(frozen=True, slots=True)
class Device:
    """A target with its secrets opened, as a poller sees it. `timeout_s` bounds the whole poll."""

    target: str
    ci: int
    interval_s: float
    timeout_s: float
    config: Mapping[str, Any]


class Poll(Protocol):
    def __call__(self, device: Device, emit: Emit) -> Awaitable[None]: ...
