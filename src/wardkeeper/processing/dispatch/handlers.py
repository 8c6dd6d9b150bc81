"""What the dispatch room listens to."""

from collections.abc import Sequence

from django.db import transaction

from wardkeeper.bus import Subscription
from wardkeeper.bus.outbox import once
from wardkeeper.messages import Message, RecordOpened
from wardkeeper.processing.dispatch import services

DISPATCHED = ("incident",)


@transaction.atomic
def dispatch_opened(messages: Sequence[Message]) -> None:
    for message in once("dispatch.records", messages):
        if isinstance(message, RecordOpened) and message.kind in DISPATCHED:
            services.dispatch(message.record)


SUBSCRIPTIONS = {
    "dispatch.records": Subscription(topics=(RecordOpened,), group="dispatch.records", handle=dispatch_opened)
}
