"""What the bus keeps in the database: messages not yet sent, messages already taken, messages that failed."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


class OutboxMessage(models.Model):
    """Written in the transaction of the fact, deleted when the bus has stored it. Normally empty."""

    id = models.BigAutoField(primary_key=True)
    message_id = models.UUIDField()
    topic = models.TextField()
    key = models.TextField()
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.topic} {self.message_id}"


class TakenMessage(models.Model):
    """This group has let this message take effect. Old rows are pruned by time (`outbox.prune`)."""

    pk = models.CompositePrimaryKey("group", "message_id")
    group = models.TextField()
    message_id = models.UUIDField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        # Rows come in order of time, so a block range index of some pages serves the pruning.
        indexes = [BrinIndex(fields=["taken_at"], name="bus_taken_at", autosummarize=True)]

    def __str__(self) -> str:
        return f"{self.group} {self.message_id}"


class ParkedMessage(models.Model):
    """A message that a group could not take. A person decides: `parked retry` or `parked drop`."""

    id = models.BigAutoField(primary_key=True)
    group = models.TextField()
    message_id = models.TextField()
    topic = models.TextField()
    key = models.TextField()
    payload = models.BinaryField()
    error = models.TextField()
    tries = models.PositiveIntegerField()
    parked_at = models.DateTimeField(db_default=Now())

    class Meta:
        # A worker that dies between parking and storing its position parks again: once is enough.
        constraints = [models.UniqueConstraint(fields=["group", "message_id"], name="bus_parked_once")]

    def __str__(self) -> str:
        return f"{self.group} {self.topic} {self.message_id}"
