"""Questions about places. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import QuerySet

from wardkeeper.registry.places.models import Place, PlaceKind

REPORTING = (PlaceKind.DEPARTMENT, PlaceKind.WARD)
"""The kinds a person reports a fault from."""


def place(place_id: int) -> Place:
    """Raises Place.DoesNotExist."""
    return Place.objects.select_related("hospital", "calendar").get(pk=place_id)


def hospitals() -> QuerySet[Place]:
    return Place.objects.filter(kind=PlaceKind.HOSPITAL, is_active=True).order_by("pk")


def first_hospital() -> Place | None:
    return hospitals().first()


def departments(hospital_ids: Iterable[int] | None = None) -> QuerySet[Place]:
    """Departments and wards in use, in order of code; all hospitals if none are named."""
    found = Place.objects.filter(kind__in=REPORTING, is_active=True).select_related("parent")
    if hospital_ids is not None:
        found = found.filter(hospital_id__in=list(hospital_ids))
    return found.order_by("code")


def ancestors(place: Place) -> list[Place]:
    """From the hospital down to `place` itself."""
    ids = [int(part) for part in place.path.split(".") if part]
    by_id = Place.objects.in_bulk(ids)
    return [by_id[at] for at in ids]


def department_of(place: Place) -> Place:
    """The department or ward that `place` is or lies in; itself if there is none."""
    for candidate in reversed(ancestors(place)):
        if candidate.kind in REPORTING:
            return candidate
    return place


def by_ids(ids: Iterable[int]) -> dict[int, Place]:
    return Place.objects.in_bulk(list(ids))
