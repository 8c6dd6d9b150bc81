"""Carries messages at least once, in order per key, from the floor that knows to the floors that care.

Django code never talks to the bus: it calls `outbox.announce` inside the transaction of the
fact. Rooms say what they listen to in `handlers.SUBSCRIPTIONS`; `worker` runs them.
Collectors, which have no database, `connect` and publish through a `spool.Publisher`.

This module imports neither Django nor a broker library, so that a bare collector can use it.
"""

from typing import TYPE_CHECKING

from wardkeeper.bus.contract import (
    Batch,
    BusAway,
    Carrier,
    Envelope,
    GroupTaken,
    Lag,
    MessageRefused,
    MessageTooLarge,
    Parked,
    Retry,
    Subscription,
)

if TYPE_CHECKING:
    from wardkeeper.settings.schema import Bus

__all__ = [
    "Batch",
    "BusAway",
    "Carrier",
    "Envelope",
    "GroupTaken",
    "Lag",
    "MessageRefused",
    "MessageTooLarge",
    "Parked",
    "Retry",
    "Subscription",
    "connect",
]


async def connect(settings: "Bus") -> Carrier:
    """The carrier that `settings.url` names: nats://... or memory:// (this process only).

    Raises BusAway if the server does not answer; once connected, reconnects for ever.
    """
    if settings.url.startswith("memory:"):
        from wardkeeper.bus.memory import MemoryCarrier  # noqa: PLC0415 - only what the address asks for

        return MemoryCarrier.named(settings.url)
    from wardkeeper.bus.nats import NatsCarrier  # noqa: PLC0415 - only what the address asks for

    return await NatsCarrier.connect(settings)
