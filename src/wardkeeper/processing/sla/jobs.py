"""What the sla room does on a timetable, and what takes too long for a handler."""

from procrastinate.contrib.django import app

from wardkeeper.processing.sla import services


@app.periodic(cron="* * * * * */5")
@app.task(name="sla.warn", queueing_lock="sla.warn", lock="sla.warn")
def warn(timestamp: int) -> None:
    """Every 5 s: the shortest share to tell of is half of P1's two minutes."""
    del timestamp  # when it was due; a run that had to wait works by the clock
    services.warn_due()


@app.task(name="sla.rebuild")
def rebuild(calendar: str, hospital: int | None) -> None:
    """A calendar changed: every live clock on it is computed anew."""
    services.rebuild_open(calendar=calendar, hospital=hospital)


@app.task(name="sla.retarget")
def retarget(kind: str, hospital: int | None) -> None:
    """The targets changed: every live clock gets the ones in force."""
    services.retarget_open(kind=kind, hospital=hospital)
