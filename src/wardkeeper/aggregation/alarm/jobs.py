"""What the alarm room does on a timetable."""

from procrastinate.contrib.django import app

from wardkeeper.aggregation.alarm import services


@app.periodic(cron="*/5 * * * *")
@app.task(name="alarm.expire", queueing_lock="alarm.expire")
def expire(timestamp: int) -> None:
    """Conditions whose source never says that they are over end after a day of silence."""
    del timestamp
    services.expire()
