"""What is watched, how, and of what parts a device says it consists."""

import uuid

from django.db import models
from django.db.models import Q


class WatchTarget(models.Model):
    """One adapter that polls one CI.

    config    the adapter's own settings without secrets
    secrets   sealed with the installation's key; opened in the collector's memory only
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ci = models.ForeignKey("cmdb.CI", models.CASCADE, related_name="targets")
    collector = models.CharField(max_length=60, default="local")
    adapter = models.CharField(max_length=40)
    interval_s = models.FloatField(default=60)
    config = models.JSONField(default=dict)
    secrets = models.TextField(blank=True)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(interval_s__gte=1, interval_s__lte=86_400), name="interval_is_sane"
            ),
            models.UniqueConstraint(fields=["ci", "adapter", "config"], name="target_once"),
        ]
        indexes = [
            models.Index(fields=["collector"], condition=Q(is_enabled=True), name="target_of_collector")
        ]

    def __str__(self) -> str:
        return f"{self.adapter} {self.ci_id}"


class AssignmentVersion(models.Model):
    """Counts the assignments of each collector, so that an older one never replaces a newer."""

    collector = models.CharField(max_length=60, primary_key=True)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.collector} {self.version}"


class Component(models.Model):
    """A part of a CI with series of its own. What a device no longer reports is kept as gone."""

    ci = models.ForeignKey("cmdb.CI", models.CASCADE, related_name="components")
    kind = models.CharField(max_length=40)
    instance = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    attributes = models.JSONField(default=dict)
    seen_at = models.DateTimeField()
    is_gone = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ci", "kind", "instance"], name="component_once")]

    def __str__(self) -> str:
        return self.name
