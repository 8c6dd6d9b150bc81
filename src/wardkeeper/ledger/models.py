"""The spine of every practice: one line per record, and a journal that is only ever added to."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    PORTAL = "portal", _("Portal")
    PHONE = "phone", _("Phone")
    QR = "qr", _("QR code")
    WALK_IN = "walk_in", _("Walk-in")
    MAIL = "mail", _("E-mail")
    MONITORING = "monitoring", _("Monitoring")
    API = "api", _("API")
    DESK = "desk", _("Service desk")


class Category(models.Model):
    """What a record is about, for counting, suggestion and dispatch (DOMAIN 2.5).

    team_code     of the team that usually solves it
    service_code  of the CI whose tier it has, for a fault of an application
    """

    code = models.CharField(max_length=20, unique=True)
    group_zh = models.CharField(max_length=40)
    group_en = models.CharField(max_length=40)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, default="incident")
    icon = models.CharField(max_length=40, default="box")
    team_code = models.CharField(max_length=40, blank=True)
    service_code = models.CharField(max_length=60, blank=True)
    handling_min = models.PositiveIntegerField(default=30)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        return self.name_zh if (get_language() or "zh").startswith("zh") else self.name_en

    @property
    def short_name(self) -> str:
        """The name without the examples in its brackets, its first two words: what fits a tile."""
        return "/".join(self.name.partition("(")[0].split("/")[:2])


class Record(models.Model):
    """One line of a practice's ledger.

    version           counts up with each change; a writer names the one it has read
    workflow_version  of the workflow it was opened under, and lives under to its end
    title_params      set where the system wrote the title: an English msgid, filled when shown
    priority          1..5 for P1..P5; `priority_why` is the explanation, "I3 x U1, R3"
    priority_input    the answers it was computed from (ledger.priority.PriorityInput)
    fields            what moves asked for: cause, solution, pending_reason ...
    due_at            the next deadline of any of its clocks; set by processing.sla
    entry_count, entry_hash  the last link of its journal, see ledger.chain
    """

    hospital = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    number = models.CharField(max_length=24)
    workflow_version = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=20)
    is_open = models.BooleanField(default=True)
    title = models.CharField(max_length=200)
    title_params = models.JSONField(null=True, blank=True)
    description = models.TextField(blank=True)
    place = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    place_path = models.CharField(max_length=200)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, related_name="+")
    ci = models.ForeignKey("cmdb.CI", models.PROTECT, null=True, blank=True, related_name="+")
    service = models.ForeignKey("cmdb.CI", models.PROTECT, null=True, blank=True, related_name="+")
    requester = models.ForeignKey("people.Person", models.PROTECT, null=True, blank=True, related_name="+")
    requester_name = models.CharField(max_length=80, blank=True)
    requester_phone = models.CharField(max_length=40, blank=True)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    team = models.ForeignKey("people.Team", models.PROTECT, null=True, blank=True, related_name="+")
    assignee = models.ForeignKey("people.Person", models.PROTECT, null=True, blank=True, related_name="+")
    priority = models.PositiveSmallIntegerField(default=4)
    priority_why = models.CharField(max_length=80, blank=True)
    priority_input = models.JSONField(default=dict)
    is_safety = models.BooleanField(default=False)
    fields = models.JSONField(default=dict, blank=True)
    proposed_move = models.CharField(max_length=20, blank=True)
    occurred_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    due_clock = models.CharField(max_length=12, blank=True)
    assigned_count = models.PositiveSmallIntegerField(default=0)
    reopened_count = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    entry_count = models.PositiveIntegerField(default=0)
    entry_hash = models.CharField(max_length=64, blank=True)
    terms = ArrayField(models.TextField(), default=list)
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hospital", "number"], name="record_number_once"),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=5), name="priority_is_1_to_5"),
        ]
        indexes = [
            # Queues: what is due next among the open ones; the rights column rides along.
            models.Index(
                fields=["kind", "due_at", "id"],
                condition=Q(is_open=True),
                include=["place_path", "team", "assignee"],
                name="record_open_due",
            ),
            models.Index(fields=["assignee", "due_at"], condition=Q(is_open=True), name="record_mine"),
            models.Index(fields=["team", "due_at"], condition=Q(is_open=True), name="record_team"),
            models.Index(fields=["hospital", "kind", "-opened_at", "-id"], name="record_by_hospital"),
            models.Index(fields=["kind", "-opened_at", "-id"], name="record_newest"),
            models.Index(fields=["requester", "-opened_at"], name="record_requester"),
            models.Index(fields=["ci", "-opened_at"], name="record_ci"),
            models.Index(
                fields=["place_path", "-opened_at"],
                name="record_place",
                opclasses=["text_pattern_ops", "timestamptz_ops"],
            ),
            GinIndex(fields=["terms"], name="record_terms"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def shown_title(self) -> str:
        if self.title_params is None:
            return self.title
        # The CI's name as the reader's language has it, where it is known.
        params = self.title_params | ({"ci": self.ci.title} if self.ci and "ci" in self.title_params else {})
        shown: str = gettext(self.title) % params
        return shown

    @property
    def priority_code(self) -> str:
        return f"P{self.priority}"


class Entry(models.Model):
    """One append-only line of a record's journal, chained to the one before by its hash.

    kind    opened, moved, assigned, comment, changed, priority, linked, attached, clock, alarm
    before, after  states; equal where the entry is no move
    changes {field: [old, new]}
    note    what a person wrote; or, with `params`, an English text that is translated when shown
    """

    record = models.ForeignKey(Record, models.PROTECT, related_name="entries")
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=12)
    move = models.CharField(max_length=20, blank=True)
    before = models.CharField(max_length=20)
    after = models.CharField(max_length=20)
    changes = models.JSONField(default=dict)
    note = models.TextField(blank=True)
    params = models.JSONField(null=True)
    is_public = models.BooleanField(default=False)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "sequence"], name="entry_sequence_once")]

    def __str__(self) -> str:
        return f"{self.record_id}/{self.sequence}"


class Seal(models.Model):
    """A digest over all entries up to `last_entry`, chained to the seal before it.

    A record's own chain cannot show that its last lines, or the whole record, were
    taken away. The seals can: each counts and hashes every entry since the last one.
    """

    first_entry = models.BigIntegerField()
    last_entry = models.BigIntegerField(unique=True)
    entries = models.PositiveIntegerField()
    at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"seal to {self.last_entry}"


class LinkKind(models.TextChoices):
    RELATED = "related", _("is related to")
    DUPLICATE = "duplicate", _("is a duplicate of")
    CAUSED_BY = "caused_by", _("is caused by")
    CHILD = "child", _("is part of")


class Link(models.Model):
    """Read from source to target. `ended_at` keeps what once was linked."""

    kind = models.CharField(max_length=12, choices=LinkKind.choices)
    source = models.ForeignKey(Record, models.PROTECT, related_name="links_out")
    target = models.ForeignKey(Record, models.PROTECT, related_name="links_in")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source", "target"], condition=Q(ended_at=None), name="link_once"
            ),
            models.CheckConstraint(condition=~Q(source=models.F("target")), name="link_is_between_two"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.target_id}"


class Attachment(models.Model):
    """A file. The bytes lie under their SHA-256 in the attachment store, once for all records."""

    record = models.ForeignKey(Record, models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size_bytes = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    is_public = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Watcher(models.Model):
    record = models.ForeignKey(Record, models.CASCADE, related_name="watchers")
    person = models.ForeignKey("people.Person", models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "person"], name="watcher_once")]

    def __str__(self) -> str:
        return f"{self.person_id} watches {self.record_id}"


class NumberCounter(models.Model):
    """The last number given out, per hospital, kind and day."""

    hospital = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    code = models.CharField(max_length=6)
    on = models.DateField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hospital", "code", "on"], name="number_counter_once")]

    def __str__(self) -> str:
        return f"{self.on:%Y%m%d}-{self.code}-{self.last:04}"


class WorkflowVersion(models.Model):
    """A workflow as it was, so that a record lives to its end under the rules it was opened under."""

    kind = models.CharField(max_length=20)
    version = models.PositiveSmallIntegerField()
    definition = models.JSONField()
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="workflow_version_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"
