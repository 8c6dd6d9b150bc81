"""Follows journals, rebuilds what is cached, and changes targets."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from procrastinate.contrib.django import app

from wardkeeper.messages.sentence import InvalidField, gettext_noop
from wardkeeper.processing.sla import policy
from wardkeeper.processing.sla.models import Clock, Policy
from wardkeeper.processing.sla.services.sheets import LIVE, followed, sheets_of, write
from wardkeeper.registry.calendars.queries import CalendarNotFound, calendar_for
from wardkeeper.registry.people.models import Person
from wardkeeper.registry.places.models import Place

CHUNK = 500
"""Records recomputed in one transaction."""


@transaction.atomic
def follow(record_ids: Iterable[int]) -> None:
    """Brings the clocks of these records up to their journals. Records of other practices are left alone."""
    write(followed(record_ids))


@transaction.atomic
def rebuild(record_ids: Iterable[int]) -> None:
    """Computes the cached rows anew from the events: after a calendar changed, or if they were lost."""
    write(sheets_of(record_ids))


def rebuild_open(*, calendar: str = "", hospital: int | None = None) -> int:
    """Computes every running or paused clock anew, if named only those on a calendar or of a hospital.

    Returns how many records were recomputed. Works in chunks: it may be stopped and begun again.
    """
    rows = Clock.objects.filter(state__in=LIVE)
    if calendar:
        rows = rows.filter(calendar=calendar)
    if hospital is not None:
        rows = rows.filter(hospital=hospital)
    done = 0
    for ids in _chunks(rows.order_by("record").values_list("record", flat=True).distinct()):
        rebuild(ids)
        done += len(ids)
    return done


def recompute_later(calendar: str, hospital: int | None) -> None:
    """Has a job rebuild the clocks on a calendar: there may be too many for a handler."""
    app.configure_task("sla.rebuild").defer(calendar=calendar, hospital=hospital)


@transaction.atomic
def save_policy(
    targets: Mapping[str, Mapping[str, object]], *, kind: str, hospital: Place | None, made_by: Person | None
) -> Policy:
    """A new version of the targets. Open clocks are re-targeted by a job; their start and pauses stay.

    Raises InvalidField.
    """
    policy.check(targets)
    for priority, row in targets.items():
        for name in ("calendar", "wards_calendar"):
            try:
                calendar_for(str(row.get(name, row["calendar"])), hospital.pk if hospital else None)
            except CalendarNotFound:
                raise InvalidField(
                    f"targets.{priority}.{name}", gettext_noop("names a calendar that does not exist")
                ) from None
    newest = Policy.objects.filter(hospital=hospital, kind=kind).aggregate(at=Max("version"))["at"] or 0
    made = Policy.objects.create(
        hospital=hospital,
        kind=kind,
        version=newest + 1,
        targets=dict(targets),
        made_at=timezone.now(),
        made_by=made_by,
    )
    app.configure_task("sla.retarget").defer(kind=kind, hospital=hospital.pk if hospital else None)
    return made


def retarget_open(*, kind: str, hospital: int | None, at: datetime | None = None) -> int:
    """Gives every live clock the target that is in force now. Returns how many records were looked at."""
    rows = Clock.objects.filter(state__in=LIVE, record__kind=kind)
    if hospital is not None:
        rows = rows.filter(hospital=hospital)
    done = 0
    for ids in _chunks(rows.order_by("record").values_list("record", flat=True).distinct()):
        with transaction.atomic():
            sheets = followed(ids)
            for sheet in sheets:
                for clock in sheet.live:
                    sheet.retarget(clock, at or timezone.now())
            write(sheets)
        done += len(ids)
    return done


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for record_id in ids:
        chunk.append(record_id)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
