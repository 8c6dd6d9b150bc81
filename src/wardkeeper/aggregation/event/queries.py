"""Questions about events. Nothing here writes."""

from dataclasses import dataclass

from django.db.models import QuerySet

from wardkeeper.aggregation.event.models import Event
from wardkeeper.ledger.cursor import Page, page_of
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    ci: int | None = None
    adapter: str = ""
    source: str = ""
    kind: str = ""


def events(scope: Scope, wanted: Filter, *, cursor: str = "", size: int = 50) -> Page[Event]:
    """One page, newest first. Raises BadCursor."""
    keys = page_of(filtered(scope, wanted), (("at", False), ("id", False)), cursor=cursor, size=size)
    by_id = Event.objects.in_bulk([key["id"] for key in keys.items])
    return Page([by_id[key["id"]] for key in keys.items if key["id"] in by_id], keys.next)


def filtered(scope: Scope, wanted: Filter) -> QuerySet[Event]:
    rows = scope.places(Event.objects.all(), Right.ALARM_VIEW)
    exact = {"ci": wanted.ci, "adapter": wanted.adapter, "source": wanted.source, "kind": wanted.kind}
    return rows.filter(**{name: value for name, value in exact.items() if value not in ("", None)})
