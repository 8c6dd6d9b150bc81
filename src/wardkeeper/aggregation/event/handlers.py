"""What the event room listens to."""

from collections.abc import Sequence

from django.db import transaction

from wardkeeper.aggregation.event import services
from wardkeeper.bus import Subscription
from wardkeeper.bus.outbox import once
from wardkeeper.messages import Message, ObservationReceived, ObservationsReceived


@transaction.atomic
def hear(messages: Sequence[Message]) -> None:
    observations: list[ObservationReceived] = []
    for message in once("event.observations", messages):
        if isinstance(message, ObservationsReceived):
            observations.extend(message.split())
        elif isinstance(message, ObservationReceived):
            observations.append(message)
    services.take(observations)


SUBSCRIPTIONS = {
    "event.observations": Subscription(
        topics=(ObservationReceived, ObservationsReceived), group="event.observations", handle=hear, batch=50
    )
}
