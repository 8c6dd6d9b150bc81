"""Messages that failed: looked at, tried again, or given up, by a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction

from wardkeeper.bus.codec import Undecodable, unseal
from wardkeeper.bus.contract import Envelope, Subscription
from wardkeeper.bus.group import describe
from wardkeeper.bus.models import OutboxMessage, ParkedMessage
from wardkeeper.bus.relay import PARKED_GROUP


@dataclass(frozen=True, slots=True)
class Shown:
    """A parked message for a reader. `text` is the message as JSON, or says why it cannot be read."""

    id: int
    group: str
    topic: str
    key: str
    error: str
    tries: int
    parked_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`error` is empty if the message has taken effect and is no longer parked."""

    id: int
    error: str


class UnknownParked(LookupError):
    """No parked message has this number."""


def listed(ids: Sequence[int] = (), *, group: str = "") -> list[Shown]:
    """Oldest first; all, or those with these numbers, or of this group. Raises UnknownParked."""
    return [
        Shown(row.pk, row.group, row.topic, row.key, row.error, row.tries, row.parked_at, _text(row))
        for row in _chosen(ids, group)
    ]


def retry(
    ids: Sequence[int] = (), *, group: str = "", subscriptions: Mapping[str, Subscription]
) -> Iterator[Outcome]:
    """Hands each to its group's handler now, in this process, oldest first; what fails stays parked.

    One that no carrier took goes back to the outbox. The worker need not run.
    Raises UnknownParked.
    """
    by_group = {each.group: each for each in subscriptions.values()}
    for row in _chosen(ids, group):
        yield Outcome(row.pk, _retried(row, by_group.get(row.group)))


def drop(ids: Sequence[int] = (), *, group: str = "") -> int:
    """Forgets them for good; how many. Raises UnknownParked."""
    chosen = [row.pk for row in _chosen(ids, group)]
    ParkedMessage.objects.filter(pk__in=chosen).delete()
    return len(chosen)


def _chosen(ids: Sequence[int], group: str) -> list[ParkedMessage]:
    rows = ParkedMessage.objects.order_by("id")
    if group:
        rows = rows.filter(group=group)
    if ids:
        rows = rows.filter(pk__in=ids)
    found = list(rows)
    if missing := set(ids) - {row.pk for row in found}:
        numbers = ", ".join(map(str, sorted(missing)))
        raise UnknownParked(f"no parked message {numbers}; `wardkeeper parked list` shows what there is")
    return found


def _envelope(row: ParkedMessage) -> Envelope:
    return Envelope(row.topic, row.message_id, row.key, bytes(row.payload))


def _text(row: ParkedMessage) -> str:
    try:
        return msgspec.json.encode(unseal(_envelope(row))).decode()
    except Undecodable as error:
        return f"({error})"


def _retried(row: ParkedMessage, subscription: Subscription | None) -> str:
    """The error, empty if it went well."""
    if row.group == PARKED_GROUP:
        with transaction.atomic():
            OutboxMessage.objects.create(
                message_id=row.message_id, topic=row.topic, key=row.key, payload=row.payload
            )
            row.delete()
        return ""
    if subscription is None:
        return f"nothing listens as {row.group!r} any more; drop the message"
    try:
        message = unseal(_envelope(row))
        # One transaction: should the row not go, the effect is taken back with it.
        with transaction.atomic():
            subscription.handle([message])
            row.delete()
    except Exception as error:  # noqa: BLE001 - a handler may raise anything; it is written to the row and shown
        text = describe(error)
        ParkedMessage.objects.filter(pk=row.pk).update(error=text, tries=row.tries + 1)
        return text
    return ""
