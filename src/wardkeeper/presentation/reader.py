"""Who looks at a page, and what they may see; asked once a request."""

from django.http import HttpRequest

from wardkeeper.registry.people.scope import Scope, scope_of

_KEPT_AS = "_wardkeeper_scope"


def scope(request: HttpRequest) -> Scope:
    """The reader's rights; a stranger's are empty. At most two statements a request."""
    known: Scope | None = getattr(request, _KEPT_AS, None)
    if known is None:
        user = getattr(request, "user", None)
        known = scope_of(user if user is not None and user.is_authenticated else None)
        setattr(request, _KEPT_AS, known)
    return known


def demand(request: HttpRequest, right: str) -> Scope:
    """The reader's rights. Raises NoRight unless `right` holds somewhere."""
    found = scope(request)
    found.demand(right)
    return found
