"""What the incident room listens to."""

from collections.abc import Sequence

from django.db import transaction

from wardkeeper.bus import Subscription
from wardkeeper.bus.outbox import once
from wardkeeper.messages import (
    AlarmChanged,
    AlarmCleared,
    AlarmMessage,
    AlarmRaised,
    Message,
    RecordAssigned,
    RecordOpened,
)
from wardkeeper.processing.incident import services


@transaction.atomic
def hear_alarms(messages: Sequence[Message]) -> None:
    for message in once("incident.alarms", messages):
        if isinstance(message, AlarmMessage):
            services.hear_alarm(message)


@transaction.atomic
def follow_records(messages: Sequence[Message]) -> None:
    for message in once("incident.records", messages):
        if isinstance(message, RecordOpened) and message.kind == "incident":
            services.begin(message)
        elif isinstance(message, RecordAssigned) and message.kind == "incident":
            services.note_assigned(message)


SUBSCRIPTIONS = {
    "incident.alarms": Subscription(
        topics=(AlarmRaised, AlarmChanged, AlarmCleared),
        group="incident.alarms",
        handle=hear_alarms,
        batch=100,
    ),
    "incident.records": Subscription(
        topics=(RecordOpened, RecordAssigned), group="incident.records", handle=follow_records
    ),
}
