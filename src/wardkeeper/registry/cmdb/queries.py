"""Questions about configuration items. Nothing here writes."""

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from wardkeeper.registry.cmdb.models import CI, Address, AddressKind, CIType, Consumer, LifeState, Relation
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import Scope
from wardkeeper.registry.search import terms_of_query


def visible(scope: Scope) -> QuerySet[CI]:
    """CIs that the reader may see, without the retired ones."""
    rows = CI.objects.exclude(life_state=LifeState.RETIRED).select_related("type", "place", "owner_team")
    return scope.places(rows, Right.CMDB_VIEW)


def ci(scope: Scope, ci_id: int, *, hospital: int | None = None) -> CI:
    """Raises CI.DoesNotExist, also for one that the reader may not see, or that is not `hospital`'s if named."""
    rows = scope.places(CI.objects.select_related("type", "place", "owner_team"), Right.CMDB_VIEW)
    if hospital is not None:
        rows = rows.filter(hospital=hospital)
    found: CI = rows.get(pk=ci_id)
    return found


def search(scope: Scope, text: str) -> QuerySet[CI]:
    found = visible(scope)
    terms = terms_of_query(text)
    return found.filter(terms__contains=terms) if terms else found


def identify(addresses: Iterable[str], *, hospital: int | None = None) -> Mapping[str, CI]:
    """Which CI speaks from each address; unknown ones are left out. One statement for any number.

    An address that two hospitals use says nothing without `hospital` and is left out too.
    """
    rows = Address.objects.select_related("ci", "ci__type").filter(
        value__in=set(addresses), kind__in=(AddressKind.IP, AddressKind.NAME)
    )
    if hospital is not None:
        rows = rows.filter(hospital=hospital)
    found: dict[str, CI] = {}
    doubled: set[str] = set()
    for row in rows:
        if row.value in found and found[row.value].pk != row.ci_id:
            doubled.add(row.value)
        found[row.value] = row.ci
    return {value: ci for value, ci in found.items() if value not in doubled}


def by_ids(ids: Iterable[int]) -> dict[int, CI]:
    """CIs with type, place and owner by id, whoever asks: for handlers, not for pages."""
    return CI.objects.select_related("type", "place", "owner_team").in_bulk(list(ids))


def main_address(ci_id: int) -> str:
    row = Address.objects.filter(ci=ci_id, kind__in=("ip", "name")).order_by("-is_main", "kind", "pk").first()
    return row.value if row else ""


def relations(ci_id: int) -> tuple[list[Relation], list[Relation]]:
    """(what it needs, what needs it), each one step far."""
    needs = Relation.objects.filter(source=ci_id).select_related("target__type")
    needed_by = Relation.objects.filter(target=ci_id).select_related("source__type")
    return list(needs), list(needed_by)


def dependants(ci_id: int, *, depth: int = 6) -> list[int]:
    """Ids of all that need it, directly or through others, nearest first; at most `depth` steps.

    One statement a step; a graph kept in memory takes over when installations need it.
    """
    seen: dict[int, None] = {ci_id: None}
    edge = [ci_id]
    for _step in range(depth):
        edge = [
            at
            for at in Relation.objects.filter(target__in=edge).values_list("source", flat=True).distinct()
            if at not in seen
        ]
        if not edge:
            break
        seen.update(dict.fromkeys(edge))
    del seen[ci_id]
    return list(seen)


def affected_places(ci_id: int) -> list[int]:
    """Ids of the departments and wards that a failure of this CI hurts."""
    ids = [ci_id, *dependants(ci_id)]
    return list(Consumer.objects.filter(ci__in=ids).values_list("place", flat=True).distinct())


def best_tier(ci_id: int) -> str:
    """The most vital tier among the CI and all that need it: "T1" before "T4"."""
    tiers = CI.objects.filter(pk__in=[ci_id, *dependants(ci_id)]).values_list("tier", flat=True)
    return min(tiers)


def types() -> QuerySet[CIType]:
    return CIType.objects.order_by("pk")


def services(scope: Scope) -> QuerySet[CI]:
    """CIs that people use directly, most vital first."""
    return visible(scope).filter(type__is_service=True).order_by("tier", "code")
