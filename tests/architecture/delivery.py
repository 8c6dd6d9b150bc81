"""Delivers what the outbox holds to every subscription, as the bus does, and looks at what each leaves behind."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.db import connection

from wardkeeper.bus import Subscription
from wardkeeper.bus.codec import unseal
from wardkeeper.bus.contract import Envelope
from wardkeeper.bus.models import OutboxMessage
from wardkeeper.bus.worker import subscriptions
from wardkeeper.messages import Message

ROUNDS = 20

type_rows = dict[str, list[tuple[Any, ...]]]
Handle = Callable[[str, Subscription, Sequence[Message]], None]


def rows() -> type_rows:
    """Everything that our tables and the job queue hold."""
    found: type_rows = {}
    for model in apps.get_models(include_auto_created=True):
        if model.__module__.startswith("wardkeeper."):
            held = model._default_manager.order_by("pk").values_list()
            found[model._meta.label] = [tuple(map(_plain, row)) for row in held]
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, args::text, status::text FROM procrastinate_jobs ORDER BY id")
        found["jobs"] = list(cursor.fetchall())
    return found


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def differences(before: type_rows, after: type_rows) -> list[str]:
    """Tables whose rows are not the same, each with what came and what went."""
    return [
        f"{name}: gone {[row for row in before[name] if row not in after[name]]}, "
        f"new {[row for row in after[name] if row not in before[name]]}"
        for name in before
        if before[name] != after[name]
    ]


def waiting() -> list[Message]:
    """What the outbox holds, as the relay would publish it; taken out."""
    held = list(OutboxMessage.objects.order_by("pk"))
    OutboxMessage.objects.filter(pk__in=[row.pk for row in held]).delete()
    return [unseal(Envelope(row.topic, str(row.message_id), row.key, bytes(row.payload))) for row in held]


def deliver(
    messages: Sequence[Message], handle: Handle, listening: Mapping[str, Subscription] | None = None
) -> None:
    """Hands `messages` to all who listen, then what they announced, until nothing is said any more."""
    listening = listening or subscriptions()
    said = list(messages) + waiting()
    for _round in range(ROUNDS):
        if not said:
            return
        for name, subscription in sorted(listening.items()):
            heard = [message for message in said if isinstance(message, subscription.topics)]
            if heard:
                handle(name, subscription, heard)
        said = waiting()
    raise AssertionError(f"after {ROUNDS} rounds the rooms still talk: {said}")


class Twice:
    """Handles everything twice and remembers whom it did not leave alone the second time."""

    def __init__(self) -> None:
        self.heard: dict[str, set[type[Message]]] = defaultdict(set)
        self.effective: set[str] = set()
        self.violations: list[str] = []

    def __call__(self, name: str, subscription: Subscription, messages: Sequence[Message]) -> None:
        before = rows()
        # The clock stands still, so that "last heard at" shows no second effect where there is none.
        with patch("django.utils.timezone.now", return_value=datetime.now(UTC)):
            subscription.handle(messages)
            once = rows()
            subscription.handle(messages)
        self.heard[name] |= {type(message) for message in messages}
        if differences(before, once):
            self.effective.add(name)
        self.violations += [f"{name}: {one}" for one in differences(once, rows())]
