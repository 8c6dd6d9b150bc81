"""Questions about alarms. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from wardkeeper.aggregation.alarm.models import Alarm, AlarmState
from wardkeeper.ledger.cursor import Page, page_of
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed to. `quiet`: acknowledged ones; None shows both."""

    state: str = AlarmState.ACTIVE
    severities: Sequence[str] = ()
    ci: int | None = None
    place_path: str = ""
    quiet: bool | None = None
    text: str = ""
    sort: str = "severity"


ORDERS: dict[str, tuple[tuple[str, bool], ...]] = {
    "severity": (("rank", True), ("raised_at", False), ("id", False)),
    "newest": (("raised_at", False), ("id", False)),
}


def visible(scope: Scope) -> QuerySet[Alarm]:
    return scope.places(Alarm.objects.all(), Right.ALARM_VIEW)


def alarm(scope: Scope, alarm_id: int) -> Alarm:
    """Raises Alarm.DoesNotExist, also for one that the reader may not see."""
    found: Alarm = visible(scope).select_related("ci__type", "place", "acknowledged_by").get(pk=alarm_id)
    return found


def alarms(scope: Scope, wanted: Filter, *, at: datetime, cursor: str = "", size: int = 50) -> Page[Alarm]:
    """One page, worst and newest first. Raises BadCursor."""
    keys = page_of(filtered(scope, wanted, at=at), ORDERS[wanted.sort], cursor=cursor, size=size)
    rows = Alarm.objects.select_related("ci__type", "place", "acknowledged_by")
    by_id = rows.in_bulk([key["id"] for key in keys.items])
    return Page([by_id[key["id"]] for key in keys.items if key["id"] in by_id], keys.next)


def filtered(scope: Scope, wanted: Filter, *, at: datetime) -> QuerySet[Alarm]:
    rows = visible(scope)
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.severities:
        rows = rows.filter(severity__in=list(wanted.severities))
    if wanted.ci is not None:
        rows = rows.filter(ci=wanted.ci)
    if wanted.place_path:
        rows = rows.filter(place_path__startswith=wanted.place_path)
    if wanted.text.strip():
        rows = rows.filter(
            Q(ci_name__icontains=wanted.text.strip()) | Q(condition__icontains=wanted.text.strip())
        )
    if wanted.quiet is not None:
        is_quiet = Q(acknowledged_until__gt=at)
        rows = rows.filter(is_quiet if wanted.quiet else ~is_quiet | Q(acknowledged_until=None))
    return rows


def counts(scope: Scope) -> dict[str, int]:
    """Active alarms by severity."""
    rows = visible(scope).filter(state=AlarmState.ACTIVE).values("severity").annotate(n=Count("pk"))
    return {row["severity"]: row["n"] for row in rows.order_by()}


def worst_by_ci(ci_ids: Sequence[int]) -> dict[int, str]:
    """The worst active severity of each CI that has one: how a list shows the state of its CIs."""
    rows = Alarm.objects.filter(ci__in=ci_ids, state=AlarmState.ACTIVE).order_by("ci", "rank").distinct("ci")
    return dict(rows.values_list("ci_id", "severity"))
