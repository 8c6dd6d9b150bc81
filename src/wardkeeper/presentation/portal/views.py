"""Report in three taps; follow; say whether it works again."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from wardkeeper.ledger import queries, services
from wardkeeper.ledger.attachments import AttachmentRefused, path_of
from wardkeeper.ledger.errors import LedgerRefused
from wardkeeper.ledger.workflow import GuardRefused
from wardkeeper.presentation.portal import forms
from wardkeeper.presentation.portal.life import life_of
from wardkeeper.presentation.reader import demand, scope
from wardkeeper.processing.desk import services as desk
from wardkeeper.processing.incident import services as incidents
from wardkeeper.processing.sla.queries import clocks_of
from wardkeeper.registry.people import queries as people
from wardkeeper.registry.people.rights import Right

FREQUENT_SINCE = timedelta(days=180)
TILES = 6


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    demand(request, Right.REPORT)
    return _page(request, None)


def _page(request: HttpRequest, filled: forms.Filled | None, status: int = HTTPStatus.OK) -> HttpResponse:
    place = _place(request, filled.place if filled else None)
    since = timezone.now() - FREQUENT_SINCE
    tiles = queries.frequent_categories(place.path, since=since, most=TILES) if place else []
    shown = {tile.pk for tile in tiles}
    words = {
        "place": place,
        "tiles": tiles,
        "more": [category for category in queries.categories("incident") if category.pk not in shown],
        "filled": filled,
        "submission": filled.submission if filled else uuid4(),
        "open": _own_open(request),
        "ward": _ward_open(request, place),
    }
    return render(request, "portal/home.html", words, status=status)


def _place(request: HttpRequest, wanted: int | None) -> Any:
    """Where the fault is: as chosen now, as last time, the reader's own; else the first they may report from."""
    offered = people.reporting_places(scope(request))
    own = getattr(request.user, "place_id", None)
    for candidate in (wanted, request.session.get("portal_place"), own):
        if candidate is not None and (found := offered.filter(pk=candidate).first()):
            return found
    return offered.first()


def _own_open(request: HttpRequest) -> list[Any]:
    rows = queries.own(scope(request)).select_related("category", "team", "assignee", "ci", "place")
    return list(rows.filter(is_open=True).order_by("-opened_at")[:20])


def _ward_open(request: HttpRequest, place: Any) -> list[Any]:
    if place is None:
        return []
    rows = queries.of_place(scope(request), place.path).select_related("category", "ci")
    return list(rows.exclude(requester=scope(request).person).order_by("-opened_at")[:10])


@require_POST
def report(request: HttpRequest) -> HttpResponse:
    rights = demand(request, Right.REPORT)
    filled = forms.read(request)
    place = _place(request, filled.place)
    if place is None:
        raise Http404
    rights.demand(Right.REPORT, place.path)
    category = queries.categories().filter(code=filled.category).first()
    if filled.category and category is None:
        filled.problems["category"] = _("Tap what it is about, or say it in words.")
    if filled.problems:
        return _page(request, filled, HTTPStatus.UNPROCESSABLE_ENTITY)
    said = desk.Report(
        submission=filled.submission,
        place=place,
        channel="portal",
        category=category,
        text=filled.text,
        phone=filled.phone or place.phone,
        degradation=filled.degradation,
        breadth=1 if filled.is_unit else 0,
        patient_safety=filled.patient_safety,
    )
    try:
        found = desk.report(said, person=people.person(rights.person or 0))
    except LedgerRefused as refused:
        messages.warning(request, str(refused))
        return redirect("portal:home")
    request.session["portal_place"] = place.pk
    _keep_photo(request, found.pk, filled)
    return redirect("portal:record", found.pk)


def _keep_photo(request: HttpRequest, record_id: int, filled: forms.Filled) -> None:
    """A photo that is refused does not lose the report."""
    if filled.photo is None:
        return
    try:
        services.attach(
            record_id,
            actor=people.person(scope(request).person or 0),
            name=filled.photo.name or "photo",
            content=filled.photo.read(),
        )
    except AttachmentRefused as refused:
        texts = {
            "large": _("The photo is larger than 20 MB; the report was sent without it."),
            "type": _("This kind of file is not accepted; the report was sent without it."),
            "empty": _("The photo was empty; the report was sent without it."),
        }
        messages.warning(request, texts[refused.reason])


@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """The list to choose another place from."""
    rights = demand(request, Right.REPORT)
    offered = people.reporting_places(rights, request.GET.get("q", "").replace("\x00", ""))[:60]
    return render(request, "portal/places.html", {"offered": offered})


def _own(request: HttpRequest, record_id: int) -> Any:
    try:
        return queries.record(scope(request), record_id)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


@require_GET
def record(request: HttpRequest, record_id: int) -> HttpResponse:
    return render(request, "portal/record.html", _words(request, record_id))


@require_GET
def life(request: HttpRequest, record_id: int) -> HttpResponse:
    """The part that follows the record live."""
    return render(request, "portal/life.html", _words(request, record_id))


def _words(request: HttpRequest, record_id: int) -> dict[str, Any]:
    rights = scope(request)
    found = _own(request, record_id)
    steps = {step.name for step in queries.moves(rights, found)}
    journal = [entry for entry in queries.journal(rights, found) if entry.is_public]
    return {
        "record": found,
        "life": life_of(found),
        "clock": next((clock for clock in clocks_of(found) if clock.state == "running"), None),
        "lines": [(entry, queries.said(entry)) for entry in journal if entry.note],
        "can_confirm": "confirm" in steps,
        "can_reopen": "reopen" in steps and found.state in ("resolved", "closed"),
        "can_withdraw": "withdraw" in steps,
        "files": queries.attachments(rights, found),
    }


@require_POST
def answer(request: HttpRequest, record_id: int) -> HttpResponse:
    """Does it work again? Yes closes it, no opens it again with what was said."""
    found = _own(request, record_id)
    rights = scope(request)
    name = request.POST.get("answer", "")
    if name not in {step.name for step in queries.moves(rights, found) if step.requester_may}:
        messages.warning(request, _("Somebody was faster: look at the record once more."))
        return redirect("portal:record", found.pk)
    reason = request.POST.get("reason", "").replace("\x00", "").strip()
    answers = {"reason": reason or _("It still does not work.")} if name != "confirm" else {}
    try:
        incidents.move(found.pk, name, actor=people.person(rights.person or 0), answers=answers, note=reason)
    except (LedgerRefused, GuardRefused) as refused:
        messages.warning(request, str(refused))
    else:
        texts = {
            "confirm": _("Good to hear. The report is closed."),
            "reopen": _("We look at it again. The team has been told."),
            "withdraw": _("Withdrawn. Thank you for telling us."),
        }
        messages.success(request, texts[name])
    return redirect("portal:record", found.pk)


@require_POST
def comment(request: HttpRequest, record_id: int) -> HttpResponse:
    found = _own(request, record_id)
    rights = scope(request)
    if found.requester_id != rights.person:
        rights.demand(Right.RECORD_WORK, found.place_path)
    note = request.POST.get("note", "").replace("\x00", "").strip()[: forms.LONGEST_TEXT]
    if note:
        services.comment(found.pk, actor=people.person(scope(request).person or 0), note=note, is_public=True)
    return redirect("portal:record", found.pk)


@require_GET
def file(request: HttpRequest, attachment_id: int) -> FileResponse:
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
