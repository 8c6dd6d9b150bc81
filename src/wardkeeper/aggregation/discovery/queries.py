"""Questions about what is watched. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import QuerySet

from wardkeeper.aggregation.discovery.models import Component, WatchTarget


def targets_of(ci_id: int) -> QuerySet[WatchTarget]:
    return WatchTarget.objects.filter(ci=ci_id, is_enabled=True).order_by("adapter", "created_at")


def components_of(ci_id: int, kind: str = "") -> QuerySet[Component]:
    """Parts in the order in which a person reads them; those that are gone come last."""
    rows = Component.objects.filter(ci=ci_id)
    return (rows.filter(kind=kind) if kind else rows).order_by("is_gone", "kind", "pk")


def names_of(ci_ids: Iterable[int]) -> dict[tuple[int, str, str], str]:
    """{(ci, kind, instance): name}, for the titles of series: an interface and a storage may share a number."""
    rows = Component.objects.filter(ci__in=list(ci_ids)).values_list("ci_id", "kind", "instance", "name")
    return {(ci, kind, instance): name for ci, kind, instance, name in rows}


def watched_count() -> int:
    return WatchTarget.objects.filter(is_enabled=True).values("ci").distinct().count()


def watched(ci_ids: Iterable[int]) -> set[int]:
    """Those of these CIs that somebody polls."""
    rows = WatchTarget.objects.filter(ci__in=list(ci_ids), is_enabled=True)
    return set(rows.values_list("ci_id", flat=True))
