"""Configuration items: what there is, what it needs, and by which address it speaks."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Tier(models.TextChoices):
    """How long the hospital can do without a service (DOMAIN 2.3)."""

    T1 = "T1", _("T1 vital")
    T2 = "T2", _("T2 important")
    T3 = "T3", _("T3 useful")
    T4 = "T4", _("T4 can wait")


class LifeState(models.TextChoices):
    PLANNED = "planned", _("Planned")
    STOCK = "stock", _("In stock")
    USE = "use", _("In use")
    REPAIR = "repair", _("In repair")
    RETIRED = "retired", _("Retired")


class CIType(models.Model):
    """What kind of thing a CI is.

    breadth     how many a failure of it touches if nothing better is known: 0 one user,
                1 a unit, 2 several units or a building, 3 a campus (DOMAIN 5.2, N)
    is_service  people use it directly; it has a tier of its own
    """

    code = models.CharField(max_length=40, unique=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    icon = models.CharField(max_length=40, default="box")
    breadth = models.PositiveSmallIntegerField(default=0)
    is_service = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(breadth__lte=3), name="breadth_is_0_to_3")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_zh if (get_language() or "zh").startswith("zh") else self.name_en


class CI(models.Model):
    """One configuration item.

    place_path  copied from the place, so that rights need no join
    tier        of the service it is, or the highest of those that need it; T3 for endpoints
    terms       index terms of name, code and addresses (registry.search)
    """

    hospital = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    type = models.ForeignKey(CIType, models.PROTECT)
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    life_state = models.CharField(max_length=10, choices=LifeState.choices, default=LifeState.USE)
    tier = models.CharField(max_length=2, choices=Tier.choices, default=Tier.T3)
    place = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    place_path = models.CharField(max_length=200)
    owner_team = models.ForeignKey("people.Team", models.SET_NULL, null=True, blank=True, related_name="+")
    attributes = models.JSONField(default=dict, blank=True)
    terms = ArrayField(models.TextField(), default=list, editable=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hospital", "code"], name="ci_code_once_per_hospital")]
        indexes = [
            models.Index(fields=["place_path"], name="ci_place_path", opclasses=["text_pattern_ops"]),
            models.Index(fields=["hospital", "name", "id"], name="ci_by_name"),
            GinIndex(fields=["terms"], name="ci_terms"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.name if (get_language() or "zh").startswith("zh") else self.name_en or self.name


class RelationKind(models.TextChoices):
    """Read from source to target: "source runs on target". A failure travels from target to source."""

    RUNS_ON = "runs_on", _("runs on")
    DEPENDS_ON = "depends_on", _("depends on")
    CONNECTS_TO = "connects_to", _("connects to")
    BACKED_UP_BY = "backed_up_by", _("is backed up by")


class Relation(models.Model):
    kind = models.CharField(max_length=20, choices=RelationKind.choices)
    source = models.ForeignKey(CI, models.CASCADE, related_name="needs")
    target = models.ForeignKey(CI, models.CASCADE, related_name="needed_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "source", "target"], name="relation_once"),
            models.CheckConstraint(
                condition=~models.Q(source=models.F("target")), name="relation_is_between_two"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.target_id}"


class Consumer(models.Model):
    """A department or ward that uses a CI: whom its failure hurts."""

    ci = models.ForeignKey(CI, models.CASCADE, related_name="consumers")
    place = models.ForeignKey("places.Place", models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ci", "place"], name="consumer_once")]

    def __str__(self) -> str:
        return f"{self.place_id} uses {self.ci_id}"


class AddressKind(models.TextChoices):
    IP = "ip", "IP"
    MAC = "mac", "MAC"
    NAME = "name", _("Host name")


class Address(models.Model):
    """By what a CI is known on the network. Private addresses repeat between hospitals, not within one."""

    hospital = models.ForeignKey("places.Place", models.PROTECT, related_name="+")
    ci = models.ForeignKey(CI, models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=4, choices=AddressKind.choices)
    value = models.CharField(max_length=255)
    is_main = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hospital", "kind", "value"], name="address_once_per_hospital"),
            models.UniqueConstraint(
                fields=["ci", "kind"], condition=models.Q(is_main=True), name="one_main_address_of_a_kind"
            ),
        ]
        indexes = [models.Index(fields=["value", "kind"], name="address_value")]

    def __str__(self) -> str:
        return self.value
