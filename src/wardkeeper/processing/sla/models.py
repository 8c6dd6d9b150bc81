"""Clock events, which are only ever added, and what is cached of them."""

from django.db import models
from django.db.models import Q


class Policy(models.Model):
    """Targets of a kind of record (see `policy.py`). The highest version counts; without a hospital, everyone's."""

    hospital = models.ForeignKey("places.Place", models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    targets = models.JSONField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("people.Person", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hospital", "kind", "version"], name="sla_policy_version_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.hospital_id or '*'}/{self.version}"


class Meter(models.Model):
    """How far the clocks of a record have followed its journal. Locked before they are changed.

    sequence        the last entry that was followed
    pending_reason  what the record waits for, as of that entry
    """

    record = models.OneToOneField("ledger.Record", models.PROTECT, primary_key=True, related_name="+")
    sequence = models.PositiveIntegerField(default=0)
    priority = models.PositiveSmallIntegerField(default=0)
    area_class = models.CharField(max_length=2, blank=True)
    pending_reason = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return f"{self.record_id}@{self.sequence}"


class ClockEvent(models.Model):
    """Something that happened to a clock; the database refuses to change or delete it.

    goal   with start and retarget: target, calendar and policy as they were then
    entry  the journal line that brought it about; None: the calendar, the policy or the time did
    """

    record = models.ForeignKey("ledger.Record", models.PROTECT, related_name="+")
    clock = models.CharField(max_length=12)
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=8)
    at = models.DateTimeField()
    reason = models.CharField(max_length=20, blank=True)
    goal = models.JSONField(null=True)
    percent = models.PositiveSmallIntegerField(default=0)
    entry = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record", "clock", "sequence"], name="sla_event_sequence_once")
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.clock} {self.kind}"


class Clock(models.Model):
    """Where a clock stands, computed from its events; may be deleted and rebuilt at any time."""

    record = models.ForeignKey("ledger.Record", models.PROTECT, related_name="clocks")
    clock = models.CharField(max_length=12)
    hospital = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    state = models.CharField(max_length=10)
    calendar = models.CharField(max_length=40)
    policy = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    target_s = models.FloatField(null=True)
    paused_s = models.FloatField(default=0)
    warned_percent = models.PositiveSmallIntegerField(default=0)
    next_percent = models.PositiveSmallIntegerField(null=True)
    next_warning_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "clock"], name="sla_clock_once")]
        indexes = [
            models.Index(
                fields=["next_warning_at"],
                condition=Q(next_warning_at__isnull=False),
                name="sla_next_warning",
            ),
            models.Index(
                fields=["calendar"], condition=Q(state__in=("running", "paused")), name="sla_live_by_calendar"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.clock} {self.state}"
