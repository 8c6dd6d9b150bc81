"""What an incident has beyond its record."""

from django.db import models


class Incident(models.Model):
    """Filled from the record when it is opened.

    detected_by  monitoring or people: whether we knew before somebody called
    """

    record = models.OneToOneField("ledger.Record", models.PROTECT, primary_key=True, related_name="incident")
    detected_by = models.CharField(max_length=12)

    def __str__(self) -> str:
        return str(self.record_id)


class AlarmTie(models.Model):
    """Which record stands for which alarm, and up to which version of the alarm it has heard.

    The primary key is what makes one incident of one alarm, whoever comes first.
    """

    alarm = models.BigIntegerField(primary_key=True)
    record = models.ForeignKey("ledger.Record", models.PROTECT, related_name="alarm_ties")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=8)
    severity = models.CharField(max_length=13)

    def __str__(self) -> str:
        return f"alarm {self.alarm}: {self.record_id}"
