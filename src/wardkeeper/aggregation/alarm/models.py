"""Alarms: conditions that hold on a CI until they are cleared."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wardkeeper.aggregation.alarm.catalogue import filled, text_of


class AlarmState(models.TextChoices):
    ACTIVE = "active", _("Active")
    CLEARED = "cleared", _("Cleared")


class AlarmSeverity(models.TextChoices):
    CRITICAL = "critical", _("Critical")
    MAJOR = "major", _("Major")
    MINOR = "minor", _("Minor")
    INDETERMINATE = "indeterminate", _("Indeterminate")
    WARNING = "warning", _("Warning")


class Alarm(models.Model):
    """One stretch of time in which a condition held; a short gap is bridged (services.REOPEN_WITHIN).

    severity   the present one, or the last before it cleared
    rank       of the severity, 0 the worst, so that lists can sort by it
    count      how often it was said
    version    counts up with each change that is announced
    hospital, place_path  empty if the sender is not in the CMDB and there are several hospitals
    acknowledged_until  after this the acknowledgement no longer quiets it
    """

    fingerprint = models.CharField(max_length=300)
    condition = models.CharField(max_length=80)
    parameters = models.JSONField(default=dict)
    severity = models.CharField(max_length=13, choices=AlarmSeverity.choices)
    rank = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=AlarmState.choices)
    source = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=1)
    reopened_count = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    ci = models.ForeignKey("cmdb.CI", models.SET_NULL, null=True, related_name="+")
    ci_name = models.CharField(max_length=120, blank=True)
    hospital = models.ForeignKey("places.Place", models.PROTECT, null=True, related_name="+")
    place = models.ForeignKey("places.Place", models.PROTECT, null=True, related_name="+")
    place_path = models.CharField(max_length=200, blank=True)
    raised_at = models.DateTimeField()
    last_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_until = models.DateTimeField(null=True)
    acknowledged_note = models.CharField(max_length=500, blank=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=Q(state="active"), name="one_active_alarm_a_fingerprint"
            )
        ]
        indexes = [
            models.Index(
                fields=["rank", "-raised_at", "-id"], condition=Q(state="active"), name="alarm_active"
            ),
            models.Index(fields=["-raised_at", "-id"], name="alarm_newest"),
            models.Index(fields=["fingerprint", "-id"], name="alarm_fingerprint"),
            models.Index(fields=["ci", "-raised_at"], name="alarm_ci"),
        ]

    def __str__(self) -> str:
        return self.fingerprint

    @property
    def text(self) -> str:
        """What holds, in the reader's language."""
        name = self.ci.title if self.ci else self.ci_name
        shown: str = gettext(text_of(self.condition)) % filled(self.parameters, name)
        return shown


class LastClear(models.Model):
    """When a condition was last said to be over, so that an older raise that arrives late stays in the past."""

    fingerprint = models.CharField(max_length=300, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.fingerprint
