"""Questions about people and teams. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from wardkeeper.registry.people.models import Membership, Person, SignIn, Team


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
