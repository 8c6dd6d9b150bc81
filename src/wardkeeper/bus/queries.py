"""How much waits on the bus's tables. Nothing here writes."""

from dataclasses import dataclass

from wardkeeper.bus.models import OutboxMessage, ParkedMessage


@dataclass(frozen=True, slots=True)
class Backlog:
    """outbox: stored facts not yet published; parked: messages that failed and wait for a person."""

    outbox: int
    parked: int


def backlog() -> Backlog:
    return Backlog(outbox=OutboxMessage.objects.count(), parked=ParkedMessage.objects.count())
