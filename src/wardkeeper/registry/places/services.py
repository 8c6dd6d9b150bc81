"""The only writers of places."""

from django.db import transaction

from wardkeeper.registry.calendars.models import Calendar
from wardkeeper.registry.places.models import AreaClass, Place, PlaceKind


@transaction.atomic
def create_place(
    *,
    kind: str,
    code: str,
    name_zh: str,
    name_en: str,
    parent: Place | None = None,
    area_class: str = AreaClass.A4,
    calendar: Calendar | None = None,
    phone: str = "",
    is_demo: bool = False,
) -> Place:
    """A new place under `parent`; a hospital has none. Raises IntegrityError if the code is taken."""
    place = Place.objects.create(
        hospital=parent.hospital if parent else None,
        parent=parent,
        kind=kind,
        code=code,
        name_zh=name_zh,
        name_en=name_en,
        area_class=area_class,
        calendar=calendar,
        phone=phone,
        is_demo=is_demo,
    )
    if parent is None:
        place.hospital = place
    place.path = f"{parent.path if parent else ''}{place.pk}."
    place.save(update_fields=["hospital", "path"])
    return place


def ensure_hospital(*, code: str, name_zh: str, name_en: str) -> Place:
    """The hospital with this code, made if it is not there."""
    found = Place.objects.filter(kind=PlaceKind.HOSPITAL, code=code).first()
    return found or create_place(kind=PlaceKind.HOSPITAL, code=code, name_zh=name_zh, name_en=name_en)


@transaction.atomic
def change_place(place_id: int, **changes: object) -> Place:
    """Changes names, area class, calendar, phone or whether the place is in use; never its position."""
    allowed = {"name_zh", "name_en", "area_class", "calendar", "phone", "is_active"}
    if unknown := set(changes) - allowed:
        raise ValueError(f"cannot change {', '.join(sorted(unknown))} of a place")
    place = Place.objects.select_for_update().get(pk=place_id)
    for name, value in changes.items():
        setattr(place, name, value)
    place.full_clean(exclude=["hospital", "parent", "path"])
    place.save(update_fields=list(changes))
    return place
