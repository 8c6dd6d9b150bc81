"""What every message has: an id, a time, a key, and a topic that names it on the wire."""

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

TOPICS: dict[str, type["Message"]] = {}
"""Every kind of message by its topic; filled as the classes are defined."""


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): sorts by time, so an index on it grows at one end."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(UUID(int=value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A fact. `id` is unique for ever; `happened_at` is when it became true (UTC)."""

    TOPIC: ClassVar[str] = ""

    id: str = field(default_factory=new_id)
    happened_at: datetime = field(default_factory=now)

    def __init_subclass__(cls) -> None:
        # A slotted dataclass is created twice under one topic; the second, real one wins.
        if "TOPIC" in cls.__dict__ and cls.TOPIC:
            known = TOPICS.get(cls.TOPIC)
            if known is not None and known.__qualname__ != cls.__qualname__:
                raise ValueError(f"topic {cls.TOPIC!r} is taken by {known.__qualname__}")
            TOPICS[cls.TOPIC] = cls

    @property
    def key(self) -> str:
        """Messages of one topic with one key are handled in the order they were published."""
        return self.id
