"""Coming and going."""

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from wardkeeper.presentation.web.context import page_url
from wardkeeper.registry.people import queries
from wardkeeper.registry.people import services as people
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import scope_of

BACKEND = settings.AUTHENTICATION_BACKENDS[0]
YEAR_S = 365 * 24 * 3600


def safe_next(request: HttpRequest) -> str:
    """Where the reader wanted to go, if that is on this site; else the front door."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return "/"


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(safe_next(request))
    username, problem = request.POST.get("username", "").strip(), ""
    if request.method == "POST":
        try:
            person = people.authenticate_person(username, request.POST.get("password", ""))
        except people.SignInRefused as refusal:
            problem = _refused(refusal)
        else:
            login(request, person, backend=BACKEND)
            return redirect(safe_next(request))
    words = {"next": safe_next(request), "username": username, "problem": problem}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "web/sign_in.html", words, status=status)


def _refused(refusal: people.SignInRefused) -> str:
    if refusal.locked_until:
        return _(
            "Too many wrong passwords. You can try again at {time}; if it is urgent, call the information centre."
        ).format(time=f"{timezone.localtime(refusal.locked_until):%H:%M}")
    return _(
        "Name and password do not match. Check Caps Lock; after five wrong tries the name is locked for 15 minutes."
    )


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        for here in queries.sessions_of(request.user).filter(session_key=request.session.session_key):
            people.end_session(request.user, here.pk)
    logout(request)
    return redirect(settings.LOGIN_URL)


@login_not_required
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remembered for the person, and by the browser for the sign-in page."""
    code = request.POST.get("language", "")
    response = redirect(safe_next(request))
    if code in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=YEAR_S,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        if request.user.is_authenticated:
            people.set_language(request.user, code)
        translation.activate(code)
    return response


def home(request: HttpRequest) -> HttpResponse:
    """Staff land at the workbench, everybody else where faults are reported."""
    may = scope_of(request.user if request.user.is_authenticated else None).may
    for name, right in (
        ("workbench", Right.RECORD_VIEW),
        ("portal:home", Right.REPORT),
        ("cis", Right.CMDB_VIEW),
    ):
        if may(right) and (url := page_url(name)) and url != request.path:
            return redirect(url)
    messages.info(
        request, _("You have no rights yet. The security administrator of your hospital grants them.")
    )
    return redirect("profile")
