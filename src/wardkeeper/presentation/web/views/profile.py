"""A reader's own things: language, password, where they are signed in."""

from datetime import timedelta
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from wardkeeper.presentation.web.middleware import SEEN_AT
from wardkeeper.registry.people import queries as people
from wardkeeper.registry.people import services
from wardkeeper.settings import current


def _page(request: HttpRequest, *, problem: str = "", field: str = "") -> HttpResponse:
    assert request.user.is_authenticated  # noqa: S101 - SignInRequired stands before; this tells the type checker
    idle = timedelta(minutes=current().web.idle_minutes)
    words = {
        "sessions": people.sessions_of(request.user).filter(seen_at__gte=timezone.now() - idle),
        "this_session": request.session.session_key,
        "shortest": services.SHORTEST_PASSWORD,
        "problem": problem,
        "problem_field": field,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "web/profile.html", words, status=status)


@require_GET
def profile(request: HttpRequest) -> HttpResponse:
    return _page(request)


@sensitive_post_parameters()
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    assert request.user.is_authenticated  # noqa: S101 - SignInRequired stands before; this tells the type checker
    old, new = request.POST.get("old", ""), request.POST.get("new", "")
    if new != request.POST.get("again", ""):
        return _page(request, problem=_("The two new passwords differ. Type them again."), field="again")
    try:
        services.change_password(request.user, old=old, new=new)
    except services.SignInRefused:
        return _page(request, problem=_("The present password is not right."), field="old")
    except services.WeakPassword as weak:
        return _page(request, problem=_weak(weak.reason), field="new")
    # This browser goes on under a new key; the guard lists it again at the next click.
    update_session_auth_hash(request, request.user)
    request.session.pop(SEEN_AT, None)
    messages.success(request, _("Password changed. All your other devices have been signed out."))
    return redirect("profile")


def _weak(reason: str) -> str:
    return {
        "short": _("Take at least {n} characters.").format(n=services.SHORTEST_PASSWORD),
        "common": _("That one is on every list of stolen passwords. Take another."),
        "name": _("Leave your user name out of it."),
    }.get(reason, _("Take a longer password."))


@require_POST
def end_session(request: HttpRequest, sign_in_id: int) -> HttpResponse:
    assert request.user.is_authenticated  # noqa: S101 - SignInRequired stands before; this tells the type checker
    try:
        services.end_session(request.user, sign_in_id)
    except ObjectDoesNotExist as gone:
        raise Http404 from gone
    messages.success(request, _("That device is signed out."))
    return redirect("profile")
