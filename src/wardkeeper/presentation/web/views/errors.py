"""Pages for what went wrong: what, why, what now, and a number to quote."""

import logging
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from wardkeeper.presentation.web.middleware import fault_number, is_fragment
from wardkeeper.registry.people.rights import TITLES, Right

log = logging.getLogger("wardkeeper.web")

SAID = {
    HTTPStatus.BAD_REQUEST: (
        _("This request cannot be understood"),
        _(
            "Perhaps an old link, or a form that was open for long. Go back, load the page again and repeat the step."
        ),
    ),
    HTTPStatus.FORBIDDEN: (
        _("This page is not open to you"),
        _("If you need it for your work, ask the information centre for the right."),
    ),
    HTTPStatus.NOT_FOUND: (
        _("There is nothing here"),
        _(
            "It may have been removed, belong to another hospital, or the address has a slip. Search for it instead."
        ),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        _("This did not work, and it is our fault"),
        _(
            "Nothing that was saved is lost. Try again; if it happens twice, tell the information centre this number."
        ),
    ),
}


def _page(request: HttpRequest, status: HTTPStatus, *, what: str = "", now_what: str = "") -> HttpResponse:
    title, advice = SAID[status]
    number = fault_number(request)
    words = {
        "status": int(status),
        "what": what or gettext(title),
        "now_what": now_what or gettext(advice),
        "number": number,
    }
    if is_fragment(request):
        response = HttpResponse(render_to_string("web/parts/fault_toast.html", words), status=status)
        response["WK-Fragment"] = "toast"
        return response
    # The frame asks the database for rights; a page about a failure must not need it.
    whole = status != HTTPStatus.INTERNAL_SERVER_ERROR and getattr(request, "user", None) is not None
    if whole and request.user.is_authenticated:
        return HttpResponse(render_to_string("web/fault.html", words, request), status=status)
    return HttpResponse(render_to_string("web/fault_plain.html", words), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    log.info("web.bad_request number=%s path=%s reason=%s", fault_number(request), request.path, exception)
    return _page(request, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    log.info("web.forbidden number=%s path=%s reason=%s", fault_number(request), request.path, exception)
    return _page(request, HTTPStatus.FORBIDDEN)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: usually a page from before the last sign-in."""
    log.info("web.forged number=%s path=%s reason=%s", fault_number(request), request.path, reason)
    return _page(
        request,
        HTTPStatus.FORBIDDEN,
        what=gettext("This form is out of date"),
        now_what=gettext("You signed in again, or cookies are off. Load the page again and repeat the step."),
    )


def no_right(request: HttpRequest, right: str) -> HttpResponse:
    known = right in set(Right)
    return _page(
        request,
        HTTPStatus.FORBIDDEN,
        what=gettext("You lack the right: {right}").format(
            right=gettext(TITLES[Right(right)]) if known else right
        ),
        now_what=gettext(
            "The security administrator of your hospital grants it, under Administration, People."
        ),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception
    return _page(request, HTTPStatus.NOT_FOUND)


def failed(request: HttpRequest) -> HttpResponse:
    return _page(request, HTTPStatus.INTERNAL_SERVER_ERROR)
