"""Configuration items, places, people, calendars."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.errors import HttpError

from wardkeeper.ledger.cursor import page_of
from wardkeeper.presentation.api import shapes
from wardkeeper.presentation.api.access import scope
from wardkeeper.presentation.api.reading import Code, Cursor, Id, Name, Short, Size, Version
from wardkeeper.registry.calendars import queries as calendars
from wardkeeper.registry.cmdb import queries as cmdb
from wardkeeper.registry.cmdb import services
from wardkeeper.registry.people import queries as people
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.places import queries as places
from wardkeeper.registry.places import services as place_services

router = Router(tags=["registry"])


class Paged(Schema):
    q: Short = ""
    cursor: Cursor = ""
    limit: Size = 50


class CIsWanted(Paged):
    type: Code | None = None
    place: Id | None = None
    tier: Literal["T1", "T2", "T3", "T4"] | None = None


@router.get("/cis")
def list_cis(request: HttpRequest, wanted: Query[CIsWanted]) -> dict[str, Any]:
    rights = scope(request)
    rows = cmdb.search(rights, wanted.q)
    exact = {
        "type__code": wanted.type,
        "tier": wanted.tier,
        "place_path__startswith": places.place(wanted.place).path if wanted.place else None,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    keys = page_of(rows, (("name", True), ("id", True)), cursor=wanted.cursor, size=wanted.limit)
    by_id = cmdb.by_ids(key["id"] for key in keys.items)
    return {"items": [shapes.ci(by_id[key["id"]]) for key in keys.items], "next": keys.next}


class NewCI(Schema):
    type: Code
    code: Code
    name: Name
    name_en: Short = ""
    place: Id
    tier: Literal["T1", "T2", "T3", "T4"] = "T3"
    owner_team: Id | None = None
    addresses: list[tuple[Literal["ip", "mac", "name"], Short]] = []


@router.post("/cis", response={201: dict[str, Any]})
def create_ci(request: HttpRequest, new: NewCI) -> tuple[int, dict[str, Any]]:
    rights = scope(request)
    place = places.place(new.place)
    rights.demand(Right.CMDB_EDIT, place.path)
    try:
        addresses = [(kind, services.normal_address(kind, value)) for kind, value in new.addresses]
    except ValueError as error:
        raise HttpError(422, str(error)) from error
    made = services.create_ci(
        type_code=new.type,
        code=new.code,
        name=new.name,
        name_en=new.name_en[:120],
        place=place,
        tier=new.tier,
        owner_team=people.teams([place.hospital_id or place.pk]).get(pk=new.owner_team)
        if new.owner_team
        else None,
        addresses=addresses,
    )
    return 201, shapes.ci(cmdb.by_ids([made.pk])[made.pk])


@router.get("/cis/{ci_id}")
def one_ci(request: HttpRequest, ci_id: Id) -> dict[str, Any]:
    found = cmdb.ci(scope(request), ci_id)
    addresses = [{"kind": row.kind, "value": row.value, "main": row.is_main} for row in found.addresses.all()]
    return {**shapes.ci(found), "addresses": addresses}


class CIChanges(Schema):
    version: Version
    name: Name | None = None
    name_en: Short | None = None
    tier: Literal["T1", "T2", "T3", "T4"] | None = None
    place: Id | None = None
    owner_team: Id | None = None
    life_state: Literal["planned", "stock", "use", "repair", "retired"] | None = None


@router.patch("/cis/{ci_id}")
def change_ci(request: HttpRequest, ci_id: Id, asked: CIChanges) -> dict[str, Any]:
    rights = scope(request)
    found = cmdb.ci(rights, ci_id)
    rights.demand(Right.CMDB_EDIT, found.place_path)
    sent = asked.dict(exclude_unset=True, exclude={"version"})
    changes: dict[str, Any] = {name: value for name, value in sent.items() if value is not None}
    if "place" in changes:
        changes["place"] = places.place(changes["place"])
        rights.demand(Right.CMDB_EDIT, changes["place"].path)
    if "owner_team" in changes:
        hospital = changes["place"].hospital_id if "place" in changes else found.hospital_id
        changes["owner_team"] = people.teams([hospital]).get(pk=changes["owner_team"])
    if "name_en" in changes:
        changes["name_en"] = changes["name_en"][:120]
    services.change_ci(found.pk, version=asked.version, **changes)
    return shapes.ci(cmdb.by_ids([found.pk])[found.pk])


@router.get("/ci-types")
def list_types(request: HttpRequest) -> dict[str, Any]:
    del request
    items = [
        {"code": row.code, "name": row.name, "breadth": row.breadth, "is_service": row.is_service}
        for row in cmdb.types()
    ]
    return {"items": items, "next": None}


class RelationsWanted(Schema):
    ci: Id


@router.get("/relations")
def list_relations(request: HttpRequest, wanted: Query[RelationsWanted]) -> dict[str, Any]:
    """What a CI needs, and what needs it; only what the reader may see."""
    rights = scope(request)
    found = cmdb.ci(rights, wanted.ci)
    needs, needed_by = cmdb.relations(found.pk)
    seen = [row for row in needs if rights.may(Right.CMDB_VIEW, row.target.place_path)]
    seen += [row for row in needed_by if rights.may(Right.CMDB_VIEW, row.source.place_path)]
    items = [{"kind": row.kind, "source": row.source_id, "target": row.target_id} for row in seen]
    return {"items": items, "next": None}


class NewRelation(Schema):
    kind: Literal["runs_on", "depends_on", "connects_to", "backed_up_by"]
    source: Id
    target: Id


@router.post("/relations", response={201: dict[str, Any]})
def relate(request: HttpRequest, new: NewRelation) -> tuple[int, dict[str, Any]]:
    rights = scope(request)
    source, target = cmdb.ci(rights, new.source), cmdb.ci(rights, new.target)
    rights.demand(Right.CMDB_EDIT, source.place_path)
    row = services.relate(source, new.kind, target)
    return 201, {"kind": row.kind, "source": row.source_id, "target": row.target_id}


@router.get("/impact")
def impact(request: HttpRequest, wanted: Query[RelationsWanted]) -> dict[str, Any]:
    """What else fails if this CI fails, and which departments it hurts."""
    rights = scope(request)
    found = cmdb.ci(rights, wanted.ci)
    hurt = cmdb.by_ids(cmdb.dependants(found.pk))
    wards = places.departments().filter(pk__in=cmdb.affected_places(found.pk))
    return {
        "cis": [shapes.named(ci) for ci in hurt.values() if rights.may(Right.CMDB_VIEW, ci.place_path)],
        "places": [shapes.named(ward) for ward in wards if rights.may(Right.CMDB_VIEW, ward.path)],
        "tier": cmdb.best_tier(found.pk),
    }


class PlacesWanted(Paged):
    kind: Literal["hospital", "campus", "building", "department", "ward", "room"] | None = None


@router.get("/places")
def list_places(request: HttpRequest, wanted: Query[PlacesWanted]) -> dict[str, Any]:
    """Places in which the reader may do anything at all."""
    rows = people.places_of(scope(request), wanted.q)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    keys = page_of(rows, (("code", True), ("id", True)), cursor=wanted.cursor, size=wanted.limit)
    by_id = places.by_ids(key["id"] for key in keys.items)
    return {"items": [shapes.place(by_id[key["id"]]) for key in keys.items], "next": keys.next}


class NewPlace(Schema):
    kind: Literal["hospital", "campus", "building", "department", "ward", "room"]
    code: Code
    name_zh: Name
    name_en: Name
    parent: Id | None = None
    area_class: Literal["A0", "A1", "A2", "A3", "A4"] = "A4"


@router.post("/places", response={201: dict[str, Any]})
def create_place(request: HttpRequest, new: NewPlace) -> tuple[int, dict[str, Any]]:
    parent = places.place(new.parent) if new.parent else None
    scope(request).demand(Right.SYSTEM_ADMIN, parent.path if parent else "")
    made = place_services.create_place(
        kind=new.kind,
        code=new.code,
        name_zh=new.name_zh,
        name_en=new.name_en,
        parent=parent,
        area_class=new.area_class,
    )
    return 201, shapes.place(made)


@router.get("/people")
def list_people(request: HttpRequest, wanted: Query[Paged]) -> dict[str, Any]:
    """Colleagues in teams, for assigning; everybody for who manages people."""
    rights = scope(request)
    rows = people.visible(rights, wanted.q)
    keys = page_of(rows, (("sort_key", True), ("id", True)), cursor=wanted.cursor, size=wanted.limit)
    by_id = people.by_ids(key["id"] for key in keys.items)
    items = [
        {"id": row.pk, "username": row.username, "name": row.name, "phone": row.phone}
        for row in (by_id[key["id"]] for key in keys.items)
    ]
    return {"items": items, "next": keys.next}


@router.get("/teams")
def list_teams(request: HttpRequest) -> dict[str, Any]:
    rows = people.teams(scope(request).hospitals(Right.RECORD_VIEW))
    items = [{"id": row.pk, "code": row.code, "name": row.name, "desk": row.is_desk} for row in rows]
    return {"items": items, "next": None}


@router.get("/calendars")
def list_calendars(request: HttpRequest) -> dict[str, Any]:
    """Service calendars in the form that `POST /deadline` takes."""
    rows = calendars.calendars(scope(request).hospitals(Right.RECORD_VIEW))
    items = [{"id": row.pk, "code": row.code, **calendars.as_data(row)} for row in rows]
    return {"items": items, "next": None}
