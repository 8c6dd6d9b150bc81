"""Everything that a device said of itself, as it was said."""

from django.db import models


class Event(models.Model):
    """One observation. `severity` is X.733 if it stated a condition, else empty.

    hospital, place_path  empty if nobody in the CMDB has the sender's address, unless there is one hospital only
    """

    at = models.DateTimeField()
    hospital = models.BigIntegerField(null=True)
    place_path = models.CharField(max_length=200, blank=True)
    ci = models.BigIntegerField(null=True)
    ci_name = models.CharField(max_length=120, blank=True)
    adapter = models.CharField(max_length=40)
    source = models.CharField(max_length=64)
    kind = models.CharField(max_length=200)
    severity = models.CharField(max_length=13, blank=True)
    text = models.TextField(blank=True)
    fields = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="event_newest"),
            models.Index(fields=["ci", "-at"], name="event_ci"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind}"
