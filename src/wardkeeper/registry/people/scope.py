"""What a person may do where: the one function that every query is narrowed by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from wardkeeper.registry.people.models import Grant, Membership, Person

EVERYWHERE = ""
"""The prefix of every path."""

Row = TypeVar("Row", bound=Model)


class NoRight(Exception):
    """The person lacks a right. `right` names it, so that the page can say who grants it."""

    def __init__(self, right: str) -> None:
        super().__init__(right)
        self.right = right


@dataclass(frozen=True, slots=True)
class Scope:
    """A person's rights, each with the place paths in which it holds.

    Paths are prefixes such as "1.4."; EVERYWHERE holds for every hospital.
    """

    person: int | None
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    teams: frozenset[int] = frozenset()

    def may(self, right: str, path: str | None = None) -> bool:
        """Whether `right` holds at `path`; with no path, whether it holds anywhere."""
        prefixes = self.paths.get(right, ())
        return bool(prefixes) if path is None else any(path.startswith(prefix) for prefix in prefixes)

    def demand(self, right: str, path: str | None = None) -> None:
        """Raises NoRight unless `may(right, path)`."""
        if not self.may(right, path):
            raise NoRight(right)

    def where(self, right: str, *, path: str = "place_path") -> Q:
        """The condition "lies where `right` holds" on a field that holds a place path."""
        prefixes = self.paths.get(right, ())
        if EVERYWHERE in prefixes:
            return Q()
        if not prefixes:
            return Q(pk__in=())
        condition = Q()
        for prefix in prefixes:
            condition |= Q(**{f"{path}__startswith": prefix})
        return condition

    def places(self, rows: QuerySet[Row, Any], right: str, *, path: str = "place_path") -> QuerySet[Row, Any]:
        """`rows` that lie where `right` holds."""
        return rows.filter(self.where(right, path=path))

    def hospitals(self, right: str) -> tuple[int, ...] | None:
        """Ids of the hospitals in which `right` holds somewhere; None for all."""
        prefixes = self.paths.get(right, ())
        if EVERYWHERE in prefixes:
            return None
        return tuple(sorted({int(prefix.split(".", 1)[0]) for prefix in prefixes}))


NOBODY = Scope(person=None)


def scope_of(person: Person | None) -> Scope:
    """Two statements, whatever the number of grants. An inactive person has no right."""
    if person is None or not person.pk or not person.is_active:
        return NOBODY
    grants = Grant.objects.filter(person=person).values_list("role__rights", "place__path")
    teams = Membership.objects.filter(person=person).values_list("team_id", flat=True)
    return Scope(person=person.pk, paths=_merge(grants), teams=frozenset(teams))


def _merge(grants: Iterable[tuple[list[str], str | None]]) -> dict[str, tuple[str, ...]]:
    paths: dict[str, set[str]] = {}
    for rights, path in grants:
        for right in rights:
            paths.setdefault(right, set()).add(path or EVERYWHERE)
    # A prefix of another says it all; fewer prefixes make shorter queries.
    return {
        right: tuple(
            sorted(at for at in held if not any(at != other and at.startswith(other) for other in held))
        )
        for right, held in paths.items()
    }
