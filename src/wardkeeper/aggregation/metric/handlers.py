"""What the metric room listens to."""

from collections.abc import Sequence
from typing import cast

from django.db import transaction
from django.utils import timezone

from wardkeeper.aggregation.alarm import services as alarm
from wardkeeper.aggregation.metric import services
from wardkeeper.bus import Subscription
from wardkeeper.messages import Message, SamplesCollected, TargetsAssigned


def take_samples(messages: Sequence[Message]) -> None:
    """Stores samples and says what began or ceased to hold, in one transaction.

    Not marked by `once`: a poll's key (CI, time, layout) already makes it harmless to take a message
    twice, while the marks would cost a row and an index entry for each message, and let a message
    that was published twice under two ids through. docs/why/store.md has the figures.
    """
    now = timezone.now()
    with transaction.atomic():
        stored = services.store(cast("Sequence[SamplesCollected]", messages), now_ms=_ms(now.timestamp()))
        alarm.apply(stored.conditions, now)


def take_targets(messages: Sequence[Message]) -> None:
    """Expects polls from the targets that a collector was told to watch, and from no others."""
    now = timezone.now()
    for message in cast("Sequence[TargetsAssigned]", messages):
        with transaction.atomic():
            ended = services.expect(message.collector, message.targets, now_ms=_ms(now.timestamp()))
            alarm.apply(ended, now)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


SUBSCRIPTIONS = {
    "metric.samples": Subscription(
        topics=(SamplesCollected,), group="metric.samples", handle=take_samples, batch=500
    ),
    "metric.targets": Subscription(topics=(TargetsAssigned,), group="metric.targets", handle=take_targets),
}
