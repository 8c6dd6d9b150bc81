"""Contacts: everything that anybody told the service desk, through whatever channel."""

from django.db import models

from wardkeeper.ledger.models import Channel


class Contact(models.Model):
    """One call, one portal report, one walk-in.

    submission  chosen by whoever sends it, so that a second tap or a retry is the same contact
    answers     the triage answers as given, before anything was read from elsewhere
    """

    submission = models.UUIDField(unique=True)
    hospital = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    place = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    at = models.DateTimeField()
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    logged_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=80, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    text = models.TextField(blank=True)
    answers = models.JSONField(default=dict)
    record = models.ForeignKey("ledger.Record", models.PROTECT, null=True, related_name="contacts")

    class Meta:
        indexes = [models.Index(fields=["hospital", "-at"], name="contact_newest")]

    def __str__(self) -> str:
        return f"{self.channel} {self.at:%F %T}"
