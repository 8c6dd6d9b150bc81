"""Who asks: a bearer token, or the browser's session with its CSRF token."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth

from wardkeeper.registry.people.scope import Scope, scope_of
from wardkeeper.registry.people.services import person_of_token

if TYPE_CHECKING:
    from wardkeeper.registry.people.models import Person


class Token(HttpBearer):
    """`Authorization: Bearer wk_...`, made by `wardkeeper token create USER`."""

    def authenticate(self, request: HttpRequest, token: str) -> "Person | None":
        del request  # a token says whose it is from anywhere
        return person_of_token(token)


class Browser(SessionAuth):
    """A signed-in page calling its own server."""

    def authenticate(self, request: HttpRequest, key: str | None) -> "Person | None":
        del key
        return request.user if request.user.is_authenticated else None


ACCESS: list[Any] = [Token(), Browser(csrf=True)]


def asker(request: HttpRequest) -> "Person":
    """Whoever the request is from; every operation but the two questions needs somebody."""
    return request.auth  # type: ignore[attr-defined,no-any-return]  # set by ninja after authentication


def scope(request: HttpRequest) -> Scope:
    return scope_of(asker(request))
