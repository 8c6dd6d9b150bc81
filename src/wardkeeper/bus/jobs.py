"""Timed jobs of the bus: forget what was taken long ago, and rescue jobs whose worker died."""

from datetime import UTC, datetime, timedelta

from procrastinate.contrib.django import app

from wardkeeper.bus import outbox

REMEMBERED = timedelta(days=3)
"""As long as the streams of samples and observations keep messages; no collector's spool waits longer."""


@app.periodic(cron="17 * * * *")
@app.task(name="bus.prune", queueing_lock="bus.prune")
def prune(timestamp: int) -> None:
    del timestamp  # when it was due
    outbox.prune(datetime.now(UTC) - REMEMBERED)


@app.periodic(cron="* * * * *")
@app.task(name="bus.rescue_jobs", queueing_lock="bus.rescue_jobs")
async def rescue_jobs(timestamp: int) -> None:
    """A job whose worker was killed stays "doing" for ever otherwise."""
    del timestamp
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)


@app.periodic(cron="41 3 * * *")
@app.task(name="bus.forget_failed_jobs", queueing_lock="bus.forget_failed_jobs")
async def forget_failed_jobs(timestamp: int) -> None:
    """Done jobs go at once; failed ones are kept a month for whoever looks for the cause."""
    del timestamp
    await app.job_manager.delete_old_jobs(nb_hours=24 * 30, include_failed=True)
