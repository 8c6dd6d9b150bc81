"""Where things are: hospital > campus > building > department or ward > room."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class PlaceKind(models.TextChoices):
    HOSPITAL = "hospital", _("Hospital")
    CAMPUS = "campus", _("Campus")
    BUILDING = "building", _("Building")
    DEPARTMENT = "department", _("Department")
    WARD = "ward", _("Ward")
    ROOM = "room", _("Room")


class AreaClass(models.TextChoices):
    """How directly a failure there touches patients (DOMAIN 2.2)."""

    A0 = "A0", _("A0 life support")
    A1 = "A1", _("A1 diagnosis and treatment")
    A2 = "A2", _("A2 wards")
    A3 = "A3", _("A3 outpatient")
    A4 = "A4", _("A4 administration")


class Place(models.Model):
    """A node of the place tree.

    path      ids from the hospital down with a dot after each, "1.4.17."; rights compare
              prefixes of it, so a record copies it and no query has to walk the tree
    hospital  the root of its tree (itself for a hospital)
    """

    hospital = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    kind = models.CharField(max_length=12, choices=PlaceKind.choices)
    code = models.CharField(max_length=40)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    area_class = models.CharField(max_length=2, choices=AreaClass.choices, default=AreaClass.A4)
    calendar = models.ForeignKey(
        "calendars.Calendar", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    phone = models.CharField(max_length=40, blank=True)
    path = models.CharField(max_length=200, default="", editable=False)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hospital", "code"], name="place_code_once_per_hospital"),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(kind="hospital"), name="hospital_code_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="hospital", parent=None)
                | ~models.Q(kind="hospital") & models.Q(parent__isnull=False),
                name="only_a_hospital_is_a_root",
            ),
        ]
        indexes = [models.Index(fields=["path"], name="place_path", opclasses=["text_pattern_ops"])]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_zh if (get_language() or "zh").startswith("zh") else self.name_en
