"""Errors as RFC 9457 problem JSON, in the reader's language. Nothing inside shows through."""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as ModelInvalid
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from wardkeeper.ledger.attachments import AttachmentRefused
from wardkeeper.ledger.cursor import BadCursor
from wardkeeper.ledger.errors import AnswersMissing, Changed, LedgerRefused
from wardkeeper.ledger.queries import changes_of
from wardkeeper.ledger.workflow import GuardRefused
from wardkeeper.messages.sentence import InvalidField
from wardkeeper.registry.calendars.wording import say
from wardkeeper.registry.cmdb.services import AddressTaken, Stale
from wardkeeper.registry.people.rights import TITLES, Right
from wardkeeper.registry.people.scope import NoRight

log = logging.getLogger(__name__)


def problem(status: int, title: str, detail: str = "", **more: Any) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail or title, **more}
    text = json.dumps(body, ensure_ascii=False)
    response = HttpResponse(text, status=status, content_type="application/problem+json")
    if status == 401:  # noqa: PLR2004 - RFC 9110 15.5.2 asks for the header
        response["WWW-Authenticate"] = "Bearer"
    return response


Answer = Callable[[Any], HttpResponse]


def _no_right(error: NoRight) -> HttpResponse:
    title = TITLES.get(Right(error.right), error.right)
    detail = _("This needs the right “%(right)s”. The system administrator can grant it.") % {
        "right": _(title)
    }
    return problem(403, _("Not allowed"), detail)


def _changed(error: Changed) -> HttpResponse:
    entries = [
        {
            "sequence": entry.sequence,
            "who": entry.actor_name,
            "kind": entry.kind,
            "changes": changes_of(entry),
        }
        for entry in error.entries
    ]
    return problem(
        409,
        _("Changed meanwhile"),
        str(error),
        version=error.record.version,
        entries=entries,
        attempt=_json(error.attempt),
    )


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def _invalid(error: ValidationError) -> HttpResponse:
    errors = [
        {"field": ".".join(str(at) for at in one["loc"][1:]) or "body", "what": one["msg"]}
        for one in error.errors
    ]
    return problem(422, _("Some values are missing or wrong"), errors=errors)


_REFUSED_FILES: dict[str, tuple[int, str]] = {
    "large": (413, "large"),
    "type": (415, "type"),
    "empty": (422, "empty"),
}


def _file(error: AttachmentRefused) -> HttpResponse:
    texts = {
        "large": _("The file is larger than 20 MB."),
        "type": _("Files of this type are not accepted. Pictures, PDF, Office documents and text are."),
        "empty": _("The file is empty."),
    }
    return problem(_REFUSED_FILES[error.reason][0], texts[error.reason])


def _not_found(_error: Exception) -> HttpResponse:
    return problem(404, _("Not found"), _("It does not exist, or you may not see it."))


def _field(error: InvalidField) -> HttpResponse:
    text = f"{error.field}: {say(error.sentence)}"
    return problem(
        422, _("Some values are missing or wrong"), text, errors=[{"field": error.field, "what": text}]
    )


ANSWERS: dict[type[Exception], Answer] = {
    AuthenticationError: lambda _e: problem(401, _("Sign in"), _("Send a valid token as “Authorization: Bearer …”.")),
    NoRight: _no_right,
    Changed: _changed,
    AnswersMissing: lambda e: problem(
        422, _("Some values are missing or wrong"), str(e),
        errors=[{"field": name, "what": what} for name, what in e.fields.items()],
    ),
    LedgerRefused: lambda e: problem(409, _("Not possible now"), str(e)),
    GuardRefused: lambda e: problem(409, _("Not possible now"), str(e)),
    Stale: lambda e: problem(409, _("Changed meanwhile"), version=e.current.version),
    AddressTaken: lambda e: problem(
        409, _("%(value)s belongs to another configuration item.") % {"value": e.value}
    ),
    IntegrityError: lambda _e: problem(409, _("This already exists.")),
    BadCursor: lambda _e: problem(400, _("This cursor does not belong to this list.")),
    AttachmentRefused: _file,
    InvalidField: _field,
    ModelInvalid: lambda e: problem(422, _("Some values are missing or wrong"), "; ".join(e.messages)),
    ValidationError: _invalid,
    ObjectDoesNotExist: _not_found,
    Http404: _not_found,
    HttpError: lambda e: problem(e.status_code, str(e)),
}  # fmt: skip


def install(api: NinjaAPI) -> None:
    for kind, answer in ANSWERS.items():
        api.add_exception_handler(kind, _handler(answer))


def _handler(answer: Answer) -> Callable[[HttpRequest, Any], HttpResponse]:
    def handle(request: HttpRequest, error: Any) -> HttpResponse:
        response = answer(error)
        log.info("api.refused", extra={"path": request.path, "status": response.status_code})
        return response

    return handle
