"""Which message may be handled now: order per key, back-off per key, and how far all is done. Pure."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from wardkeeper.bus.contract import Bundle, Envelope, Retry

BATCH_BYTES = 16_000_000
"""A batch is cut here: 200 batches of samples could otherwise be 180 MB."""


@dataclass(slots=True)
class _Entry:
    """A stored bundle, and how many of its messages are not done."""

    family: str
    position: int
    open: int


@dataclass(slots=True, eq=False)
class Item:
    """One message on its way through a group."""

    envelope: Envelope
    entry: _Entry
    failures: int = 0

    @property
    def lane(self) -> tuple[str, str]:
        return (self.entry.family, self.envelope.key)


@dataclass(slots=True)
class Lanes:
    """Items wait in `_ready` in the order of the log, or in `_held` behind a failed one of their key.

    Only one batch is out at a time. An item of a held key that is still in `_ready` moves
    behind its elders when it is met, so failing costs nothing for other keys.
    """

    retry: Retry
    chance: Callable[[], float]
    _ready: deque[Item] = field(default_factory=deque)
    _held: dict[tuple[str, str], list[Item]] = field(default_factory=dict)
    _due: list[tuple[float, int, tuple[str, str]]] = field(default_factory=list)
    _entries: dict[str, deque[_Entry]] = field(default_factory=dict)
    _done: dict[str, int] = field(default_factory=dict)
    _counter: int = 0

    @property
    def ready(self) -> int:
        return len(self._ready)

    @property
    def held(self) -> int:
        return sum(map(len, self._held.values()))

    def add(self, bundle: Bundle) -> None:
        entry = _Entry(bundle.family, bundle.position, len(bundle.envelopes))
        self._entries.setdefault(bundle.family, deque()).append(entry)
        self._ready.extend(Item(envelope, entry) for envelope in bundle.envelopes)
        if not bundle.envelopes:
            self._advance(bundle.family)

    def take(self, limit: int, *, now: float) -> list[Item]:
        """The next batch: at most `limit` items, whose keys are not waiting for a back-off."""
        while self._due and self._due[0][0] <= now:
            lane = heappop(self._due)[2]
            self._ready.extendleft(reversed(self._held.pop(lane)))
        taken: list[Item] = []
        size = 0
        while self._ready and len(taken) < limit:
            item = self._ready[0]
            if self._held and item.lane in self._held:
                self._held[item.lane].append(self._ready.popleft())
                continue
            size += len(item.envelope.payload)
            if taken and size > BATCH_BYTES:
                break
            taken.append(self._ready.popleft())
        return taken

    def next_due(self) -> float | None:
        """When the earliest back-off ends."""
        return self._due[0][0] if self._due else None

    def done(self, item: Item) -> None:
        item.entry.open -= 1
        if not item.entry.open:
            self._advance(item.entry.family)

    def fail(self, item: Item, followers: Iterable[Item], *, now: float) -> bool:
        """Holds the item's key for a back-off; False if its tries are used up and it must be parked.

        followers  later items of the same key in the same batch, in order; they were not handled
        """
        item.failures += 1
        if item.failures >= self.retry.tries:
            self.put_back(followers)
            return False
        self._held[item.lane] = [item, *followers]
        self._counter += 1
        wait_s = self.retry.wait_s(item.failures, chance=self.chance())
        heappush(self._due, (now + wait_s, self._counter, item.lane))
        return True

    def put_back(self, items: Iterable[Item]) -> None:
        """Untouched items return to the head of the line."""
        self._ready.extendleft(reversed(list(items)))

    def floors(self) -> dict[str, int]:
        """By family: everything up to and including this position is done."""
        return dict(self._done)

    def _advance(self, family: str) -> None:
        entries = self._entries[family]
        while entries and not entries[0].open:
            self._done[family] = entries.popleft().position
