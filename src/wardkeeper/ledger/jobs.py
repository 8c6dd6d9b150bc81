"""What the ledger does on a timetable."""

from procrastinate.contrib.django import app

from wardkeeper.ledger import chain


@app.periodic(cron="*/10 * * * *")
@app.task(name="ledger.seal", queueing_lock="ledger.seal")
def seal(timestamp: int) -> None:
    """Seals the journal, so that later nothing of it can be taken away unseen."""
    del timestamp
    chain.seal()
