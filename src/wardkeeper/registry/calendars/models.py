"""Service calendars as a hospital keeps them: a week, and the days that differ from it."""

from django.db import models


class Calendar(models.Model):
    """When a service is offered. A calendar without a hospital is everyone's.

    hospital  id of the hospital's place; no foreign key, since places know calendars
              and not the other way round
    week      {"mon": [["08:00", "12:00"], ...], ...}; a day that is missing is closed.
              "24:00" is the end of a day; a segment whose end is not after its begin
              crosses midnight and belongs to the day on which it begins
    version   counts up with each change, so that computed tables can be kept until then
    """

    code = models.CharField(max_length=40)
    hospital = models.BigIntegerField(null=True, blank=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="Asia/Shanghai")
    week = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hospital", "code"], name="calendars_one_code_per_hospital", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CalendarDay(models.Model):
    """A day that differs from its week: closed, or open at the hours of a make-up day (调休)."""

    class Kind(models.TextChoices):
        HOLIDAY = "holiday"
        MAKE_UP = "make_up"

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="days")
    on = models.DateField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    segments = models.JSONField(default=list)
    title = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            # One row of each kind: a make-up day may lie inside a holiday and wins over it.
            models.UniqueConstraint(fields=["calendar", "on", "kind"], name="calendars_one_day_of_a_kind"),
            models.CheckConstraint(
                condition=models.Q(kind="make_up") | models.Q(kind="holiday", segments=[]),
                name="calendars_holiday_has_no_segments",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on:%Y-%m-%d} {self.kind}"
