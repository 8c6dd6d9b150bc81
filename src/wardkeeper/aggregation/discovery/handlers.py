"""What the discovery room listens to."""

from collections.abc import Sequence

from django.db import transaction

from wardkeeper.aggregation.discovery import services
from wardkeeper.bus import Subscription
from wardkeeper.bus.outbox import once
from wardkeeper.messages import CollectorStarted, DeviceDescribed, Message


@transaction.atomic
def hear(messages: Sequence[Message]) -> None:
    fresh = once("discovery.collectors", messages)
    services.learn(message for message in fresh if isinstance(message, DeviceDescribed))
    started = (message.collector for message in fresh if isinstance(message, CollectorStarted))
    for collector in dict.fromkeys(started):
        services.assign(collector)


SUBSCRIPTIONS = {
    "discovery.collectors": Subscription(
        topics=(CollectorStarted, DeviceDescribed), group="discovery.collectors", handle=hear
    )
}
