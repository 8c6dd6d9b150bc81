"""What every answer carries and every request passes."""

import json
import logging
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import translation
from django.utils.http import urlencode

from wardkeeper.presentation.web.context import events_url
from wardkeeper.registry.people import services as people
from wardkeeper.registry.people.scope import NoRight
from wardkeeper.settings import current

log = logging.getLogger("wardkeeper.web")
type_next = Callable[[HttpRequest], HttpResponseBase]

SEEN_AT = "seen_at"
SEEN_EVERY_S = 60
OPEN_PATHS = ("/api/", "/healthz", "/readyz", "/metrics", "/static/")
"""Answer for themselves who may ask: by token, or anybody."""


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def is_background(request: HttpRequest) -> bool:
    """Whether the page asks by itself; that is no sign of a person."""
    return request.headers.get("WK-Background") == "true"


class ContentSecurityPolicy:
    """Nothing inline, nothing from another host save the event stream of this one."""

    def __init__(self, get_response: type_next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Content-Security-Policy" not in response:
            stream = events_url(request)
            origin = "/".join(stream.split("/", 3)[:3]) if "://" in stream else ""
            response["Content-Security-Policy"] = (
                "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
                f"connect-src 'self'{' ' + origin if origin else ''}; frame-ancestors 'none'; "
                "base-uri 'none'; form-action 'self'"
            )
        return response


class SignInRequired(LoginRequiredMiddleware):
    """Every page wants a signed-in reader unless it says `login_not_required`."""

    def process_view(self, request: HttpRequest, view_func, view_args, view_kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - Django's own signature
        if request.path.startswith(OPEN_PATHS):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]  # a fragment's answer is no redirect
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if is_fragment(request):
            return to_sign_in(request)
        return super().handle_no_permission(request, view_func)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back here; a fragment takes its whole page along."""
    if is_fragment(request):
        here = request.headers.get("HX-Current-URL", "/")
        back = "/" + here.split("/", 3)[3] if here.count("/") >= 3 else "/"  # noqa: PLR2004 - scheme://host/path
        response = HttpResponse(status=204)
        response["HX-Redirect"] = f"{settings.LOGIN_URL}?{urlencode({'next': back})}"
        return response
    return redirect(f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}")


class SessionGuard:
    """Signs out who has not clicked for `web.idle_minutes`, and keeps the list of sessions fresh."""

    def __init__(self, get_response: type_next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_open = request.path.startswith(OPEN_PATHS)
        # The API answers a browser's session too: it must end there as it ends on pages.
        if (not is_open or request.path.startswith("/api/")) and request.user.is_authenticated:
            now = int(time.time())
            seen = int(request.session.get(SEEN_AT, now))
            if now - seen >= current().web.idle_minutes * 60:
                logout(request)
                return self.get_response(request) if is_open else to_sign_in(request)
            if is_open:
                return self.get_response(request)
            if not is_background(request) and (SEEN_AT not in request.session or now - seen >= SEEN_EVERY_S):
                request.session[SEEN_AT] = now
                self._touch(request)
        return self.get_response(request)

    def _touch(self, request: HttpRequest) -> None:
        key = request.session.session_key
        if key and request.user.is_authenticated:
            people.touch_session(
                key,
                request.user,
                address=request.META.get("REMOTE_ADDR") or None,
                agent=request.headers.get("User-Agent", ""),
            )


class PersonalLanguage:
    """The person's own language goes before the browser's; LocaleMiddleware has chosen for strangers."""

    def __init__(self, get_response: type_next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if (
            not request.path.startswith(OPEN_PATHS)
            and request.user.is_authenticated
            and request.user.language
        ):
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


class Faults:
    """Gives every failure a number that a caller can quote and the log knows."""

    def __init__(self, get_response: type_next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if request.path.startswith("/api/"):
            return None
        if isinstance(exception, NoRight):
            from wardkeeper.presentation.web.views import errors  # noqa: PLC0415 - views need templates, which need us

            return errors.no_right(request, exception.right)
        log.error("web.fault number=%s path=%s", fault_number(request), request.path, exc_info=exception)
        return None


def fault_number(request: HttpRequest) -> str:
    """The number of this request's failure, the same however often it is asked; without letters that look alike."""
    known: str = getattr(request, "fault_number", "")
    if not known:
        letters = "".join(secrets.choice("23456789ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(6))
        known = f"{letters[:3]}-{letters[3:]}"
        request.fault_number = known  # type: ignore[attr-defined]  # kept on the request like Django's own extras
    return known


class Toasts:
    """Hands what a view has to say to the page's script when the answer is only a fragment."""

    def __init__(self, get_response: type_next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if is_fragment(request) and "HX-Redirect" not in response and "HX-Refresh" not in response:
            said = [{"text": str(message), "tone": message.level_tag} for message in get_messages(request)]
            if said:
                triggers = json.loads(response["HX-Trigger"]) if "HX-Trigger" in response else {}
                response["HX-Trigger"] = json.dumps({**triggers, "wk:toast": {"said": said}})
        return response
