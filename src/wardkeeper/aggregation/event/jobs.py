"""What the event room does on a timetable."""

from django.utils import timezone
from procrastinate.contrib.django import app

from wardkeeper.aggregation.event import services


@app.periodic(cron="17 3 * * *")
@app.task(name="event.forget", queueing_lock="event.forget")
def forget_old(timestamp: int) -> None:
    """Events older than a month go; alarms and records made from them stay."""
    del timestamp
    services.forget(timezone.now() - services.KEPT)
