"""What the metric room does on a timetable. Several workers may run it: a lock lets one at a time."""

import time

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from wardkeeper.aggregation.alarm import services as alarm
from wardkeeper.aggregation.metric import services

_STARTED = time.monotonic()
SETTLED_S = 60
"""After a start of everything, silence means nothing for so long."""
PACK_S = 120
"""How long one run may take; what is left is done by the next."""


@app.periodic(cron="*/5 * * * *")
@app.task(name="metric.pack", queueing_lock="metric.pack", lock="metric.pack")
def pack(timestamp: int) -> None:
    """Packs the hours that are over, rolls up what is complete, deletes what is older than wanted."""
    del timestamp  # when it was due; a run that had to wait works by the clock
    now_ms = int(timezone.now().timestamp() * 1000)
    services.pack(now_ms=now_ms, seconds=PACK_S)
    services.roll_up(now_ms=now_ms, seconds=PACK_S)
    services.retain(now_ms=now_ms, seconds=PACK_S)


@app.periodic(cron="* * * * * */30")
@app.task(name="metric.silence", queueing_lock="metric.silence", lock="metric.silence")
def watch_for_silence(timestamp: int) -> None:
    """Raises `device.no_data` for feeds that were not heard of for three intervals."""
    del timestamp
    now = timezone.now()
    if time.monotonic() - _STARTED < SETTLED_S:
        return  # the collectors that were stopped with us have not had their turn yet
    with transaction.atomic():
        alarm.apply(services.find(now_ms=int(now.timestamp() * 1000)), now)
