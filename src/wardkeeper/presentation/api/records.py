"""Records of every practice, and incidents: read, open, move, assign, comment, link, attach."""

from typing import Any, Literal
from uuid import UUID

from django.http import FileResponse, HttpRequest
from ninja import File, Query, Router, Schema, UploadedFile

from wardkeeper.ledger import priority, queries, services
from wardkeeper.ledger.attachments import path_of
from wardkeeper.presentation.api import shapes
from wardkeeper.presentation.api.access import asker, scope
from wardkeeper.presentation.api.reading import Code, Cursor, Id, Long, Moment, Name, Short, Size, Version
from wardkeeper.processing.desk import services as desk
from wardkeeper.processing.incident import services as incidents
from wardkeeper.processing.sla.queries import clocks_of
from wardkeeper.registry.cmdb import queries as cmdb
from wardkeeper.registry.people import queries as people
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.places import queries as places

router = Router(tags=["records"])


class Wanted(Schema):
    kind: Code | None = None
    state: Code | None = None
    open: bool | None = None
    priority: Literal["P1", "P2", "P3", "P4", "P5"] | None = None
    team: Id | None = None
    assignee: Id | None = None
    place: Id | None = None
    ci: Id | None = None
    q: Short = ""
    opened_from: Moment | None = None
    opened_before: Moment | None = None
    mine: bool = False
    my_team: bool = False
    unassigned: bool = False
    sort: Literal["due", "newest", "priority"] = "newest"
    cursor: Cursor = ""
    limit: Size = 50


def _filter(wanted: Wanted, kind: str) -> queries.Filter:
    return queries.Filter(
        kind=kind,
        states=[wanted.state] if wanted.state else (),
        is_open=wanted.open,
        priorities=[int(wanted.priority[1])] if wanted.priority else (),
        team=wanted.team,
        assignee=wanted.assignee,
        place_path=places.place(wanted.place).path if wanted.place else "",
        ci=wanted.ci,
        text=wanted.q,
        opened_from=wanted.opened_from,
        opened_before=wanted.opened_before,
        mine=wanted.mine,
        my_team=wanted.my_team,
        unassigned=wanted.unassigned,
        sort=wanted.sort,
    )


def _page(request: HttpRequest, wanted: Wanted, kind: str) -> dict[str, Any]:
    page = queries.records(scope(request), _filter(wanted, kind), cursor=wanted.cursor, size=wanted.limit)
    return {"items": [shapes.record(found) for found in page.items], "next": page.next}


@router.get("/records")
def list_records(request: HttpRequest, wanted: Query[Wanted]) -> dict[str, Any]:
    """Records that the reader may see, newest first unless `sort` says otherwise."""
    return _page(request, wanted, wanted.kind or "")


@router.get("/incidents")
def list_incidents(request: HttpRequest, wanted: Query[Wanted]) -> dict[str, Any]:
    return _page(request, wanted, "incident")


class NewIncident(Schema):
    """`submission` is the sender's own id of this report: sent twice, it counts once."""

    submission: UUID
    title: Name
    description: Long = ""
    place: Id
    ci: Id | None = None
    category: Code | None = None
    breadth: Literal[0, 1, 2, 3] = 0
    degradation: Literal[0, 1, 2, 3] = 3
    patient_safety: priority.PatientSafety = priority.PatientSafety.NONE
    safe_workaround: bool = False
    name: Short = ""
    phone: Short = ""


@router.post("/incidents", response={201: dict[str, Any]})
def open_incident(request: HttpRequest, new: NewIncident) -> tuple[int, dict[str, Any]]:
    """Opens an incident; the priority is computed, the team found, the clocks started."""
    who, rights = asker(request), scope(request)
    place = places.place(new.place)
    rights.demand(Right.REPORT, place.path)
    said = desk.Report(
        submission=new.submission,
        place=place,
        channel="api",
        title=new.title,
        text=new.description,
        category=queries.categories().get(code=new.category) if new.category else None,
        ci=cmdb.ci(rights, new.ci, hospital=place.hospital_id) if new.ci else None,
        breadth=new.breadth,
        degradation=new.degradation,
        patient_safety=new.patient_safety,
        safe_workaround=new.safe_workaround,
        name=new.name[:80],
        phone=new.phone[:40],
    )
    return 201, shapes.record(desk.report(said, person=who))


@router.get("/incidents/{record_id}")
def one_incident(request: HttpRequest, record_id: Id) -> dict[str, Any]:
    """The same as `/records/{record_id}`."""
    return one_record(request, record_id)


@router.get("/records/{record_id}")
def one_record(request: HttpRequest, record_id: Id) -> dict[str, Any]:
    """The record with its journal, clocks, possible moves, links and files."""
    rights = scope(request)
    found = queries.record(rights, record_id)
    return {
        **shapes.record(found),
        "description": found.description,
        "fields": found.fields,
        "moves": [shapes.move(step) for step in queries.moves(rights, found)],
        "entries": [shapes.entry(entry) for entry in queries.journal(rights, found)],
        "clocks": [shapes.clock(clock) for clock in clocks_of(found)],
        "links": [shapes.link(link, other, outward) for link, other, outward in queries.links(rights, found)],
        "attachments": [shapes.attachment(file) for file in queries.attachments(rights, found)],
    }


class MoveAsked(Schema):
    """`version`: of the record as the sender has read it; a changed record answers 409 with what changed."""

    move: Code
    version: Version
    answers: dict[Code, Long | int | bool | None] = {}
    note: Long = ""


@router.post("/records/{record_id}/moves")
def move_record(request: HttpRequest, record_id: Id, asked: MoveAsked) -> dict[str, Any]:
    rights = scope(request)
    found = queries.record(rights, record_id)
    step = services.flow_of(found).move(asked.move)
    is_own = found.requester_id == rights.person
    if step is not None and not (is_own and step.requester_may):
        rights.demand(step.right, found.place_path)
    moved = incidents.move(
        found.pk,
        asked.move,
        actor=asker(request),
        version=asked.version,
        answers=asked.answers,
        note=asked.note,
    )
    return shapes.record(moved)


class Assignment(Schema):
    team: Id
    assignee: Id | None = None
    version: Version
    note: Long = ""


@router.post("/records/{record_id}/assignment")
def assign_record(request: HttpRequest, record_id: Id, asked: Assignment) -> dict[str, Any]:
    rights = scope(request)
    found = queries.record(rights, record_id)
    rights.demand(Right.RECORD_ASSIGN, found.place_path)
    assigned = services.assign(
        found.pk,
        actor=asker(request),
        team=people.teams([found.hospital_id]).get(pk=asked.team),
        assignee=people.members(asked.team).get(pk=asked.assignee) if asked.assignee else None,
        version=asked.version,
        note=asked.note,
    )
    return shapes.record(assigned)


class Comment(Schema):
    note: Long
    public: bool = False


@router.post("/records/{record_id}/comments")
def comment_record(request: HttpRequest, record_id: Id, asked: Comment) -> dict[str, Any]:
    """A requester's comment is always public; an internal one needs the right to work on the record."""
    rights = scope(request)
    found = queries.record(rights, record_id)
    is_own = found.requester_id == rights.person
    if not is_own:
        rights.demand(Right.RECORD_WORK, found.place_path)
    is_public = asked.public or not rights.may(Right.RECORD_WORK, found.place_path)
    commented = services.comment(found.pk, actor=asker(request), note=asked.note, is_public=is_public)
    return shapes.record(commented)


class Changes(Schema):
    """Only what is sent is changed."""

    version: Version
    title: Name | None = None
    description: Long | None = None
    ci: Id | None = None
    category: Code | None = None
    requester_phone: Short | None = None


@router.patch("/records/{record_id}")
def change_record(request: HttpRequest, record_id: Id, asked: Changes) -> dict[str, Any]:
    rights = scope(request)
    found = queries.record(rights, record_id)
    rights.demand(Right.RECORD_WORK, found.place_path)
    changes: dict[str, Any] = asked.dict(exclude_unset=True, exclude={"version"})
    changes = {name: value for name, value in changes.items() if value is not None}
    if "ci" in changes:
        changes["ci"] = cmdb.ci(rights, changes["ci"], hospital=found.hospital_id)
    if "category" in changes:
        changes["category"] = queries.categories().get(code=changes["category"])
    if "requester_phone" in changes:
        changes["requester_phone"] = changes["requester_phone"][:40]
    changed = services.change(found.pk, actor=asker(request), version=asked.version, **changes)
    return shapes.record(changed)


class Reassessment(Schema):
    """The six answers anew. Lowering a P1 or a safety record also needs a second person, on the page."""

    version: Version
    reason: Long
    breadth: Literal[0, 1, 2, 3]
    tier: priority.Tier
    degradation: Literal[0, 1, 2, 3]
    area_class: priority.AreaClass
    outpatient_peak: bool = False
    patient_safety: priority.PatientSafety = priority.PatientSafety.NONE
    safe_workaround: bool = False
    security_breach: bool = False


@router.post("/records/{record_id}/priority")
def reassess_record(request: HttpRequest, record_id: Id, asked: Reassessment) -> dict[str, Any]:
    rights = scope(request)
    found = queries.record(rights, record_id)
    rights.demand(Right.RECORD_PRIORITY, found.place_path)
    state = priority.PriorityInput(**asked.dict(exclude={"version", "reason"}))
    changed = services.set_priority(
        found.pk, state, actor=asker(request), reason=asked.reason, version=asked.version
    )
    return shapes.record(changed)


class NewLink(Schema):
    kind: Literal["related", "duplicate", "caused_by", "child"]
    target: Id


@router.post("/records/{record_id}/links", response={201: dict[str, Any]})
def link_record(request: HttpRequest, record_id: Id, asked: NewLink) -> tuple[int, dict[str, Any]]:
    rights = scope(request)
    found, other = queries.record(rights, record_id), queries.record(rights, asked.target)
    rights.demand(Right.RECORD_WORK, found.place_path)
    link = services.link(found.pk, other.pk, kind=asked.kind, actor=asker(request))
    return 201, shapes.link(link, other, outward=True)


@router.post("/records/{record_id}/attachments", response={201: dict[str, Any]})
def attach_to_record(
    request: HttpRequest, record_id: Id, file: File[UploadedFile]
) -> tuple[int, dict[str, Any]]:
    rights = scope(request)
    found = queries.record(rights, record_id)
    if found.requester_id != rights.person:
        rights.demand(Right.RECORD_WORK, found.place_path)
    attached = services.attach(found.pk, actor=asker(request), name=file.name or "file", content=file.read())
    return 201, shapes.attachment(attached)


@router.get("/attachments/{attachment_id}")
def download(request: HttpRequest, attachment_id: Id) -> FileResponse:
    """The file. Always as a download: what somebody uploaded is never shown as a page of ours."""
    found = queries.attachment(scope(request), attachment_id)
    return FileResponse(
        path_of(found.digest).open("rb"),
        as_attachment=True,
        filename=found.name,
        content_type=found.media_type,
    )
