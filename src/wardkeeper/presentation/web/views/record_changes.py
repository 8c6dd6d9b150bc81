"""What people do on a record page. Each answers with the page's body, or with the dialog and what is wrong."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from wardkeeper.ledger import priority, queries, services
from wardkeeper.ledger.attachments import AttachmentRefused
from wardkeeper.ledger.errors import AnswersMissing, Changed, LedgerRefused
from wardkeeper.ledger.workflow import GuardRefused, Move
from wardkeeper.messages.sentence import InvalidField
from wardkeeper.presentation.reader import scope
from wardkeeper.presentation.web.views.records import BY_KIND, seen, words_of
from wardkeeper.processing.incident import services as incidents
from wardkeeper.registry.cmdb import queries as cmdb
from wardkeeper.registry.people import queries as people
from wardkeeper.registry.people import services as people_services
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import scope_of

if TYPE_CHECKING:
    from wardkeeper.ledger.models import Record
    from wardkeeper.registry.cmdb.models import CI
    from wardkeeper.registry.people.models import Person

LONGEST = 20_000
MOST_DIGITS = 6


def text_of(request: HttpRequest, name: str, most: int = LONGEST) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()[:most]


def number_of(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004 - a bigint


def me(request: HttpRequest) -> Person:
    return people.person(scope(request).person or 0)


def done(request: HttpRequest, record_id: int) -> HttpResponse:
    """The record as it stands now; dialogs close."""
    response = render(request, "web/records/body.html", words_of(request, seen(request, record_id)))
    response["HX-Retarget"] = "#record"
    response["HX-Reswap"] = "innerHTML"
    response["HX-Trigger"] = "wk:close-dialogs"
    return response


def again(request: HttpRequest, template: str, words: dict[str, Any], problem: Exception) -> HttpResponse:
    """The dialog once more, with what is wrong and everything that was typed."""
    newer = []
    if isinstance(problem, Changed):
        newer = [
            {"entry": entry, "text": queries.said(entry), "changes": queries.changes_of(entry).items()}
            for entry in problem.entries
        ]
        words["version"] = problem.record.version
    fields = problem.fields if isinstance(problem, AnswersMissing) else {}
    words |= {"problem": str(problem), "problems": fields, "newer": newer, "typed": request.POST}
    return render(request, template, words, status=HTTPStatus.UNPROCESSABLE_ENTITY)


REFUSALS = (LedgerRefused, GuardRefused)


@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, record_id: int, name: str) -> HttpResponse:
    """GET: the dialog that asks what the move needs. POST: takes it."""
    found = seen(request, record_id)
    step = services.flow_of(found).move(name)
    if step is None:
        raise Http404
    scope(request).demand(step.right, found.place_path)
    words: dict[str, Any] = {
        "record": found,
        "move": step,
        "version": number_of(request, "version") or found.version,
        "asks_ci": "incident.has_ci" in step.guards and found.ci_id is None,
        "typed": {},
        "problems": {},
    }
    if request.method == "GET":
        return render(request, "web/records/move.html", words)
    try:
        incidents.move(
            found.pk,
            name,
            actor=me(request),
            version=words["version"],
            answers=_answers(request, step),
            note=text_of(request, "note"),
            ci=_named_ci(request, found),
        )
    except REFUSALS as problem:
        return again(request, "web/records/move.html", words, problem)
    return done(request, record_id)


def _named_ci(request: HttpRequest, found: Record) -> CI | None:
    """The CI whose code the resolver gave, if the record had none. Raises GuardRefused."""
    code = text_of(request, "ci", 60)
    if not code or found.ci_id is not None:
        return None
    ci = cmdb.visible(scope(request)).filter(code__iexact=code, hospital=found.hospital_id).first()
    if ci is None:
        raise GuardRefused(_("No configuration item has the code %(code)s.") % {"code": code})
    return ci


def _answers(request: HttpRequest, step: Move) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for rule in step.fields:
        text = text_of(request, rule.name)
        if rule.type == "bool":
            answers[rule.name] = text == "on" or None
        elif rule.type == "minutes":
            answers[rule.name] = (
                int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else text or None
            )
        elif rule.type == "datetime" and text:
            answers[rule.name] = _moment(text)
        else:
            answers[rule.name] = text or None
    return answers


def _moment(text: str) -> str | None:
    """The hospital's local time, as a browser's field sends it, with its offset."""
    try:
        return datetime.fromisoformat(text).astimezone(timezone.get_current_timezone()).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


@require_http_methods(["GET", "POST"])
def assign(request: HttpRequest, record_id: int) -> HttpResponse:
    found = seen(request, record_id)
    scope(request).demand(Right.RECORD_ASSIGN, found.place_path)
    teams = people.teams([found.hospital_id])
    words: dict[str, Any] = {
        "record": found,
        "teams": [(team, list(people.members(team.pk))) for team in teams],
        "version": number_of(request, "version") or found.version,
        "typed": {},
    }
    if request.method == "GET":
        return render(request, "web/records/assign.html", words)
    team_id, _dot, person_id = request.POST.get("to", "").partition(".")
    try:
        team = teams.get(pk=int(team_id))
        assignee = people.members(team.pk).get(pk=int(person_id)) if person_id else None
    except (ValueError, ObjectDoesNotExist):
        return again(request, "web/records/assign.html", words, GuardRefused(_("Choose a team or a person.")))
    try:
        services.assign(
            found.pk,
            actor=me(request),
            team=team,
            assignee=assignee,
            version=words["version"],
            note=text_of(request, "note"),
        )
    except REFUSALS as problem:
        return again(request, "web/records/assign.html", words, problem)
    return done(request, record_id)


@require_POST
def assign_to_me(request: HttpRequest, record_id: int) -> HttpResponse:
    found = seen(request, record_id)
    scope(request).demand(Right.RECORD_ASSIGN, found.place_path)
    services.assign(found.pk, actor=me(request), team=found.team, assignee=me(request))
    return done(request, record_id)


@require_POST
def bulk_assign(request: HttpRequest, slug: str) -> HttpResponse:
    """Assigns what was selected in a list to the reader."""
    rights = scope(request)
    for record_id in request.POST.getlist("id")[:200]:
        if record_id.isascii() and record_id.isdigit() and len(record_id) <= 18:  # noqa: PLR2004 - a bigint
            found = seen(request, int(record_id))
            rights.demand(Right.RECORD_ASSIGN, found.place_path)
            services.assign(found.pk, actor=me(request), team=found.team, assignee=me(request))
    return redirect("records", slug)


@require_POST
def comment(request: HttpRequest, record_id: int) -> HttpResponse:
    found = seen(request, record_id)
    scope(request).demand(Right.RECORD_WORK, found.place_path)
    note = text_of(request, "note")
    if note:
        is_public = request.POST.get("public") == "on"
        services.comment(found.pk, actor=me(request), note=note, is_public=is_public)
    return done(request, record_id)


@require_POST
def attach(request: HttpRequest, record_id: int) -> HttpResponse:
    found = seen(request, record_id)
    scope(request).demand(Right.RECORD_WORK, found.place_path)
    problem = _("Choose a file.")
    if file := request.FILES.get("file"):
        try:
            services.attach(found.pk, actor=me(request), name=file.name or "file", content=file.read())
        except AttachmentRefused as refused:
            texts = {
                "large": _("The file is larger than 20 MB."),
                "type": _(
                    "Files of this type are not accepted. Pictures, PDF, Office documents and text are."
                ),
                "empty": _("The file is empty."),
            }
            problem = texts[refused.reason]
        else:
            return done(request, record_id)
    words = {**words_of(request, found), "problem": problem}
    return render(request, "web/records/body.html", words, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_POST
def link(request: HttpRequest, record_id: int) -> HttpResponse:
    found = seen(request, record_id)
    rights = scope(request)
    rights.demand(Right.RECORD_WORK, found.place_path)
    kind = text_of(request, "kind", 12)
    number = text_of(request, "number", 24)
    try:
        other = queries.record_by_number(rights, number)
        if kind not in ("related", "duplicate", "caused_by", "child"):
            raise GuardRefused(_("Choose how the two are linked."))
        services.link(found.pk, other.pk, kind=kind, actor=me(request))
    except ObjectDoesNotExist:
        problem = _("No record has the number %(number)s.") % {"number": number}
    except REFUSALS as refused:
        problem = str(refused)
    else:
        return done(request, record_id)
    words = {**words_of(request, found), "problem": problem}
    return render(request, "web/records/body.html", words, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_POST
def watch(request: HttpRequest, record_id: int) -> HttpResponse:
    found = seen(request, record_id)
    if queries.is_watching(scope(request), found):
        services.unwatch(found.pk, me(request))
    else:
        services.watch(found.pk, me(request))
    return done(request, record_id)


@require_http_methods(["GET", "POST"])
def set_priority(request: HttpRequest, record_id: int) -> HttpResponse:
    """The six questions again; lowering what is guarded asks a second person to sign on the spot."""
    found = seen(request, record_id)
    scope(request).demand(Right.RECORD_PRIORITY, found.place_path)
    words: dict[str, Any] = {
        "record": found,
        "page": BY_KIND[found.kind],
        "input": found.priority_input,
        "tiers": list(priority.Tier),
        "areas": list(priority.AreaClass),
        "version": number_of(request, "version") or found.version,
        "typed": {},
    }
    if request.method == "GET":
        return render(request, "web/records/priority.html", words)
    try:
        services.set_priority(
            found.pk,
            _state(request),
            actor=me(request),
            reason=text_of(request, "reason"),
            version=words["version"],
            second=_second(request, found),
        )
    except (*REFUSALS, InvalidField) as problem:
        return again(request, "web/records/priority.html", words, problem)
    return done(request, record_id)


def _state(request: HttpRequest) -> priority.PriorityInput:
    """Raises InvalidField."""
    sent = request.POST
    numbers = {
        name: int(sent.get(name, "")) if sent.get(name, "") in "0123" and sent.get(name) else -1
        for name in ("breadth", "degradation")
    }
    flags = ("outpatient_peak", "safe_workaround", "security_breach")
    return priority.parse(
        {
            **numbers,
            **{name: sent.get(name, "") for name in ("tier", "area_class", "patient_safety")},
            **{name: sent.get(name) == "on" for name in flags},
        }
    )


def _second(request: HttpRequest, found: Record) -> Person | None:
    """The colleague who signs with their own password and holds the right. Raises GuardRefused."""
    username, password = text_of(request, "second", 64), request.POST.get("second_password", "")
    if not username:
        return None
    try:
        second = people_services.authenticate_person(username, password)
    except people_services.SignInRefused as refused:
        raise GuardRefused(_("The second person's name and password do not match.")) from refused
    if not scope_of(second).may(Right.RECORD_PRIORITY, found.place_path):
        raise GuardRefused(_("The second person may not change this record's priority."))
    return second
