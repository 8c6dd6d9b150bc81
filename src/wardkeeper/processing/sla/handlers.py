"""What the sla room listens to."""

from collections.abc import Sequence

from django.db import transaction

from wardkeeper.bus import Subscription
from wardkeeper.bus.outbox import once
from wardkeeper.messages import (
    CalendarChanged,
    Message,
    RecordChanged,
    RecordMessage,
    RecordMoved,
    RecordOpened,
)
from wardkeeper.processing.sla import services
from wardkeeper.processing.sla.workflow import PRACTICES


@transaction.atomic
def follow_records(messages: Sequence[Message]) -> None:
    services.follow(
        {
            message.record
            for message in once("sla.records", messages)
            if isinstance(message, RecordMessage) and _moves_a_clock(message)
        }
    )


def _moves_a_clock(message: RecordMessage) -> bool:
    is_ours = message.kind in PRACTICES
    return is_ours and (not isinstance(message, RecordChanged) or "priority" in message.changed)


@transaction.atomic
def follow_calendars(messages: Sequence[Message]) -> None:
    for message in once("sla.calendars", messages):
        if isinstance(message, CalendarChanged):
            services.recompute_later(message.code, message.hospital)


SUBSCRIPTIONS = {
    "sla.records": Subscription(
        topics=(RecordOpened, RecordMoved, RecordChanged), group="sla.records", handle=follow_records
    ),
    "sla.calendars": Subscription(topics=(CalendarChanged,), group="sla.calendars", handle=follow_calendars),
}
