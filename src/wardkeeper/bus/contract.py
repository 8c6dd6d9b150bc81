"""What a carrier promises, and what a room says to be heard.

A carrier keeps one log per family of topics. Each group reads the logs at its own pace from
its own stored position, so that every group gets every message, a restart continues, and
nothing is ever redelivered behind a newer message of the same key.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from wardkeeper.messages import Message

LARGEST_MESSAGE_BYTES = 900_000
"""NATS refuses payloads over 1 MiB unless configured otherwise; the rest is for names and headers."""


class BusAway(Exception):
    """The carrier did not confirm in time. Nothing is known to be stored: keep the messages and try again."""


class GroupTaken(Exception):
    """Another consumer reads for this group now; this one must stop."""


class MessageRefused(ValueError):
    """No carrier takes it; retrying does not help."""


class MessageTooLarge(MessageRefused):
    """Over LARGEST_MESSAGE_BYTES, or over what the server takes."""


class MessageUnencodable(MessageRefused):
    """It holds a number beyond 64 bits, half a character or a foreign type: more than msgpack can say."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it travels and waits: what routing needs in clear, the rest as msgpack."""

    topic: str
    id: str
    key: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failing message is tried before it is parked, and the waits between, doubling each time.

    With the default a key stands still for 15 seconds at most. Each wait is drawn from its
    upper half, so that messages that failed together do not come back together.
    """

    tries: int = 5
    first_s: float = 1.0
    longest_s: float = 60.0

    def wait_s(self, failures: int, *, chance: float) -> float:
        """`failures` so far, from 1; `chance` in 0..1."""
        doubled: float = self.first_s * 2 ** (failures - 1)
        return min(doubled, self.longest_s) * (0.5 + chance / 2)


USUAL_RETRY = Retry()


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one group of one room listens to.

    topics  classes of messages; a family's topics (alarm.*) arrive in one order per key
    group   stable for ever: the position in the log is stored under it. A new group starts
            with the oldest message that is kept
    handle  ordinary Django code; takes a batch, in order per key. Opens its own transaction.
            Raising means: the batch is retried message by message with back-off, then the
            poison message is parked and its followers go on
    batch   the most messages handed over at once
    retry   how patient to be with a failing message
    """

    topics: tuple[type[Message], ...]
    group: str
    handle: Callable[[Sequence[Message]], None]
    batch: int = 200
    retry: Retry = USUAL_RETRY


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that a group could not take, with the reason of the last failure."""

    envelope: Envelope
    group: str
    error: str
    tries: int


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind.

    bundles   waiting in the logs; each holds one message or more
    oldest_s  age of the oldest of them
    """

    bundles: int
    oldest_s: float


Park = Callable[[Parked], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Some messages of one family under one position in its log, as a Reader gives them."""

    family: str
    position: int
    envelopes: tuple[Envelope, ...]


class Reader(Protocol):
    """One group's view of one family's log: what each carrier must provide for `consumer.consume`."""

    @property
    def family(self) -> str: ...

    async def fetch(self) -> Sequence[Bundle]:
        """The next bundles in order, each once in the life of this reader; waits for one."""

    async def commit(self, position: int) -> None:
        """Everything up to and including `position` is done. Raises GroupTaken."""

    async def close(self) -> None: ...


class Batch(Protocol):
    """Messages of one group, in order per key. What the loop body does not object to is done.

    Iterating skips messages that must wait behind a retried one of their key.
    Leaving the loop by an exception leaves the batch undone; the next `consume` brings it again.
    """

    @property
    def messages(self) -> Sequence[Message]: ...

    def __iter__(self) -> Iterator[Message]: ...

    def retry(self, message: Message, error: str) -> None:
        """Bring it again after a back-off; its key waits, other keys go on.

        Parked when its tries are used up.
        """

    def park(self, message: Message, error: str) -> None:
        """Put it aside now; its key goes on."""


class Carrier(Protocol):
    async def publish(self, messages: Sequence[Message | Envelope]) -> None:
        """Returns when all are stored durably, in the given order per family and key.

        Raises BusAway after a bound (some may have been stored: publishing again is safe,
        receivers drop what they know), MessageTooLarge.
        """

    def consume(
        self,
        group: str,
        topics: Sequence[type[Message]],
        *,
        batch: int = 200,
        retry: Retry = USUAL_RETRY,
        park: Park | None = None,
        stop: asyncio.Event | None = None,
    ) -> AsyncIterator[Batch]:
        """Batches for ever, or until `stop` is set (the batch in hand is still counted as done).

        park  keeps what failed for good; without it only the log tells
        One consumer of a group at a time: a second one ends the first with GroupTaken.
        A server that is away is waited for.
        """

    def tail(self, topics: Sequence[type[Message]]) -> AsyncIterator[Sequence[Message]]:
        """What is published from now on: for showing, not for doing.

        No position is kept, and nothing waits for a slow reader. An empty batch says that
        something may have been missed: look at the facts themselves.
        """

    async def lag(self, group: str, topics: Sequence[type[Message]]) -> Lag: ...

    async def trim(self, groups: Sequence[tuple[str, Sequence[type[Message]]]]) -> None:
        """Frees room in the logs, but only of messages that all of these groups are done with."""

    async def close(self) -> None: ...
