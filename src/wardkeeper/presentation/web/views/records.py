"""Every practice's list and record page."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from wardkeeper.ledger import priority, queries, services
from wardkeeper.ledger.attachments import path_of
from wardkeeper.ledger.cursor import BadCursor
from wardkeeper.ledger.workflow import workflow_for
from wardkeeper.presentation.reader import demand, scope
from wardkeeper.presentation.web.incident import INCIDENT
from wardkeeper.processing.desk.queries import contacts_of
from wardkeeper.processing.incident.queries import alarms_of
from wardkeeper.processing.sla.queries import clocks_of
from wardkeeper.registry.calendars.wording import say
from wardkeeper.registry.cmdb.queries import affected_places
from wardkeeper.registry.people import queries as people
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.places import queries as places

if TYPE_CHECKING:
    from wardkeeper.ledger.models import Record
    from wardkeeper.presentation.web.record_page import RecordPage

PAGES: dict[str, RecordPage] = {page.slug: page for page in (INCIDENT,)}
BY_KIND = {page.kind: page for page in PAGES.values()}
MOST_PLACES = 12


def text_from(request: HttpRequest, name: str, most: int = 200) -> str:
    """A query parameter without what PostgreSQL cannot keep."""
    return request.GET.get(name, "").replace("\x00", "")[:most]


def number_from(request: HttpRequest, name: str) -> int | None:
    """A query parameter that is an id; None for anything else."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004 - a bigint


def wanted(request: HttpRequest, page: RecordPage) -> queries.Filter:
    """What the address asks for; anything it cannot mean is left out."""
    state = text_from(request, "state", 20)
    level = text_from(request, "priority", 2)
    sort = text_from(request, "sort", 10)
    who = text_from(request, "who", 12)
    return queries.Filter(
        kind=page.kind,
        states=[state] if state and state not in ("open", "all") else (),
        is_open=None if state == "all" or (state and state != "open") else True,
        priorities=[int(level[1])] if level in ("P1", "P2", "P3", "P4", "P5") else (),
        team=number_from(request, "team"),
        ci=number_from(request, "ci"),
        text=text_from(request, "q"),
        mine=who == "mine",
        my_team=who == "team",
        unassigned=who == "nobody",
        sort=sort if sort in queries.ORDERS else "due",
        extra=_figure(text_from(request, "due", 8)),
    )


def _figure(name: str) -> Q:
    """What a figure above the workbench counts, so that a click shows just that."""
    now = timezone.now()
    figures = {
        "overdue": Q(due_at__lt=now),
        "hour": Q(due_at__gte=now, due_at__lt=now + timedelta(hours=1)),
        "urgent": Q(priority__lte=2),
    }
    return figures.get(name, Q())


def _filters(request: HttpRequest, page: RecordPage) -> list[dict[str, Any]]:
    flow = workflow_for(page.kind)
    states = [("all", _("Closed too")), *((state.name, _(state.title)) for state in flow.states)]
    teams = people.teams(scope(request).hospitals(Right.RECORD_VIEW))
    return [
        {"name": "state", "title": _("State"), "options": states, "value": text_from(request, "state", 20)},
        {
            "name": "priority",
            "title": _("Priority"),
            "options": [(f"P{level}", f"P{level}") for level in range(1, 6)],
            "value": text_from(request, "priority", 2),
        },
        {
            "name": "due",
            "title": _("Due"),
            "options": [
                ("overdue", _("overdue")),
                ("hour", _("due in 1 h")),
                ("urgent", _("P1/P2 open")),
            ],
            "value": text_from(request, "due", 8),
        },
        {
            "name": "who",
            "title": _("Assigned to"),
            "options": [("mine", _("Me")), ("team", _("My team")), ("nobody", _("Nobody"))],
            "value": text_from(request, "who", 12),
        },
        {
            "name": "team",
            "title": _("Team"),
            "options": [(str(team.pk), team.name) for team in teams],
            "value": text_from(request, "team", 18),
        },
        {
            "name": "sort",
            "title": _("Order"),
            "options": [("newest", _("Newest first")), ("priority", _("By priority"))],
            "value": text_from(request, "sort", 10),
        },
    ]


def with_clocks(found: list[Record]) -> list[dict[str, Any]]:
    """Rows of a list: the record, and how much is left of its next clock."""
    now = timezone.now()
    rows = []
    for record in found:
        left = 1.0
        if record.due_at is not None:
            whole = (record.due_at - record.opened_at).total_seconds()
            left = max(0.0, (record.due_at - now).total_seconds() / whole) if whole > 0 else 0.0
        rows.append({"record": record, "share": min(left, 1.0)})
    return rows


def _page(request: HttpRequest, page: RecordPage) -> dict[str, Any]:
    asked = wanted(request, page)
    try:
        found = queries.records(scope(request), asked, cursor=text_from(request, "cursor", 600))
    except BadCursor:
        found = queries.records(scope(request), asked)
    return {"page": page, "rows": with_clocks(found.items), "next": found.next}


@require_GET
def listing(request: HttpRequest, slug: str) -> HttpResponse:
    demand(request, Right.RECORD_VIEW)
    page = PAGES[slug]
    words = {
        **_page(request, page),
        "filters": _filters(request, page),
        "q": text_from(request, "q"),
        "is_filtered": any(
            request.GET.get(name) for name in ("q", "state", "priority", "who", "team", "sort", "due")
        ),
        "rows_url": f"{reverse('record-rows', args=[slug])}?{request.GET.urlencode()}",
        "colleagues": people.colleagues(scope(request).hospitals(Right.RECORD_VIEW))[:200],
    }
    return render(request, "web/records/list.html", words)


@require_GET
def rows(request: HttpRequest, slug: str) -> HttpResponse:
    demand(request, Right.RECORD_VIEW)
    return render(request, "web/records/rows.html", _page(request, PAGES[slug]))


def seen(request: HttpRequest, record_id: int) -> Record:
    """The record, or the page "not found": whether it exists is nobody else's business."""
    try:
        found = queries.record(scope(request), record_id)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing
    scope(request).demand(Right.RECORD_VIEW, found.place_path)
    return found


def words_of(request: HttpRequest, found: Record) -> dict[str, Any]:
    """Everything that the record page shows."""
    rights = scope(request)
    steps = queries.moves(rights, found)
    main = next((step for step in steps if step.name == found.proposed_move), None)
    main = main or next((step for step in steps if step.is_main), None)
    page = BY_KIND[found.kind]
    hurt = list(
        rights.places(
            places.departments().filter(pk__in=affected_places(found.ci_id)), Right.RECORD_VIEW, path="path"
        )
        if found.ci_id
        else ()
    )
    return {
        "page": page,
        "record": found,
        "main_move": main,
        "moves": [step for step in steps if step is not main],
        "clocks": clocks_of(found),
        "lines": [
            {"entry": entry, "text": queries.said(entry), "changes": queries.changes_of(entry).items()}
            for entry in reversed(queries.journal(rights, found))
        ],
        "answers": _answers(page, found),
        "links": queries.links(rights, found),
        "files": queries.attachments(rights, found),
        "contacts": contacts_of(found.pk),
        "alarm_ids": alarms_of(found.pk),
        "hurt": hurt[:MOST_PLACES],
        "hurt_count": len(hurt),
        "reasons": reasons(found),
        "is_watching": queries.is_watching(rights, found),
        "may_work": rights.may(Right.RECORD_WORK, found.place_path),
        "may_assign": rights.may(Right.RECORD_ASSIGN, found.place_path),
        "may_prioritise": rights.may(Right.RECORD_PRIORITY, found.place_path),
    }


def _answers(page: RecordPage, found: Record) -> list[tuple[str, str]]:
    flow = services.flow_of(found)
    choices = {
        (rule.name, value): title
        for step in flow.moves
        for rule in step.fields
        for value, title in rule.choices
    }
    shown = []
    for name, title in page.answers:
        value = found.fields.get(name)
        if value not in (None, ""):
            word = choices.get((name, value))
            shown.append((_(title), _(word) if word else str(value)))
    return shown


def reasons(found: Record) -> list[str]:
    """Why the record has its priority, one sentence each."""
    if not found.priority_input:
        return []
    state = priority.parse(found.priority_input)
    return [say(sentence) for sentence in priority.why(state, priority.priority_of(state))]


@require_GET
def record(request: HttpRequest, slug: str, record_id: int) -> HttpResponse:
    found = seen(request, record_id)
    if BY_KIND[found.kind].slug != slug:
        raise Http404
    return render(request, "web/records/record.html", words_of(request, found))


@require_GET
def body(request: HttpRequest, record_id: int) -> HttpResponse:
    """The part of the page that follows the record live."""
    return render(request, "web/records/body.html", words_of(request, seen(request, record_id)))


@require_GET
def preview(request: HttpRequest, record_id: int) -> HttpResponse:
    return render(request, "web/records/preview.html", words_of(request, seen(request, record_id)))


@require_GET
def file(request: HttpRequest, attachment_id: int) -> FileResponse:
    """Always a download: what somebody uploaded is never shown as a page of ours."""
    try:
        found = queries.attachment(scope(request), attachment_id)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing
    return FileResponse(
        path_of(found.digest).open("rb"),
        as_attachment=True,
        filename=found.name,
        content_type=found.media_type,
    )


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Records whose number or words match, closed ones too; one hit opens at once."""
    demand(request, Right.RECORD_VIEW)
    text = text_from(request, "q").strip()
    asked = queries.Filter(text=text, sort="newest")
    found = queries.records(scope(request), asked).items if text else []
    words = {"page": INCIDENT, "rows": with_clocks(found), "q": text, "next": None}
    return render(request, "web/records/search.html", words, status=HTTPStatus.OK)
