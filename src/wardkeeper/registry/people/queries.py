"""Questions about people and teams. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from wardkeeper.registry.people.models import Membership, Person, SignIn, Team
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import EVERYWHERE, Scope
from wardkeeper.registry.places.models import Place, PlaceKind


def person(person_id: int) -> Person:
    """Raises Person.DoesNotExist."""
    return Person.objects.select_related("place", "hospital").get(pk=person_id)


def person_by_username(username: str) -> Person | None:
    return Person.objects.filter(username__iexact=username, is_active=True).first()


def sessions_of(person: Person) -> QuerySet[SignIn]:
    return person.sign_ins.order_by("-seen_at")


def team(team_id: int) -> Team:
    """Raises Team.DoesNotExist."""
    return Team.objects.get(pk=team_id)


def teams(hospital_ids: Iterable[int] | None = None) -> QuerySet[Team]:
    """Teams in use of these hospitals and those that serve all; every team if none are named."""
    found = Team.objects.filter(is_active=True)
    if hospital_ids is not None:
        found = found.filter(Q(hospital__in=list(hospital_ids)) | Q(hospital=None))
    return found.order_by("code")


def desk_of(hospital_id: int | None) -> Team | None:
    """The service desk of a hospital, else the one that serves all."""
    desks = Team.objects.filter(is_desk=True, is_active=True)
    return desks.filter(hospital=hospital_id).first() or desks.filter(hospital=None).first()


def members(team_id: int) -> QuerySet[Person]:
    return Person.objects.filter(membership__team=team_id, is_active=True).order_by("sort_key", "pk")


def is_member(person_id: int, team_id: int) -> bool:
    return Membership.objects.filter(person=person_id, team=team_id).exists()


def colleagues(hospital_ids: Iterable[int] | None = None) -> QuerySet[Person]:
    """People who belong to a team, in order of name; those of these hospitals or of all."""
    found = Person.objects.filter(is_active=True, membership__isnull=False)
    if hospital_ids is not None:
        found = found.filter(Q(hospital__in=list(hospital_ids)) | Q(hospital=None))
    return found.distinct().order_by("sort_key", "pk")


def visible(scope: Scope, text: str = "") -> QuerySet[Person]:
    """Colleagues of the reader's hospitals; everybody there for who manages people."""
    everybody = scope.hospitals(Right.PEOPLE_ADMIN)
    rows = colleagues(scope.hospitals(Right.RECORD_VIEW))
    if scope.may(Right.PEOPLE_ADMIN):
        rows = Person.objects.filter(is_active=True)
        if everybody is not None:
            rows = rows.filter(Q(hospital__in=list(everybody)) | Q(hospital=None))
    elif not scope.may(Right.RECORD_VIEW):
        return Person.objects.none()
    if text.strip():
        found = text.strip()
        rows = rows.filter(Q(name__icontains=found) | Q(username__icontains=found) | Q(phone__contains=found))
    return rows


def by_ids(ids: Iterable[int]) -> dict[int, Person]:
    return Person.objects.in_bulk(list(ids))


def places_of(scope: Scope, text: str = "") -> QuerySet[Place]:
    """Places in which the reader holds any right, matching `text` in code or name."""
    condition = Q(pk__in=())
    for right, prefixes in scope.paths.items():
        # An empty condition joined by "or" would vanish instead of letting everything through.
        condition |= ~Q(pk__in=()) if EVERYWHERE in prefixes else scope.where(right, path="path")
    rows = Place.objects.filter(condition, is_active=True)
    if text.strip():
        found = text.strip()
        rows = rows.filter(
            Q(code__icontains=found) | Q(name_zh__icontains=found) | Q(name_en__icontains=found)
        )
    return rows


def reporting_places(scope: Scope, text: str = "") -> QuerySet[Place]:
    """Departments and wards that the reader may report from, matching `text`; in order of code."""
    rows = places_of(scope, text).filter(scope.where(Right.REPORT, path="path"))
    return rows.filter(kind__in=(PlaceKind.DEPARTMENT, PlaceKind.WARD)).order_by("code")
