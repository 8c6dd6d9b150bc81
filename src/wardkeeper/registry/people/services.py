"""The only writers of people, teams, rights and sessions."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from wardkeeper.registry.people.models import ApiToken, Grant, Membership, Person, Role, SignIn, Team
from wardkeeper.registry.people.rights import ROLES
from wardkeeper.registry.places.models import Place
from wardkeeper.registry.search import sort_key

FAILURES_BEFORE_LOCK = 5
LOCKED_FOR = timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=1)
SHORTEST_PASSWORD = 10
COMMON_PASSWORDS = {"1234567890", "password123", "qwertyuiop", "0123456789", "wardkeeper", "administrator"}
TOKEN_PREFIX = "wk_"  # noqa: S105 - a mark by which leak scanners know our tokens

# Compared against when the name is unknown, so that a stranger cannot tell names apart by time.
_NO_ONE = (
    "argon2$argon2id$v=19$m=102400,t=2,p=8$TU9WWnRGbEh2U1hTQ0xKQ2lZUWx0eA"
    "$X0LmR7nGm2nqVfyD+2g8f1iEwYyFoLhJ3Mgg0ZBzqRE"
)


class SignInRefused(Exception):
    """Wrong name or password, or not active. `locked_until` is set if trying is pointless until then."""

    def __init__(self, locked_until: datetime | None = None) -> None:
        super().__init__("locked" if locked_until else "wrong name or password")
        self.locked_until = locked_until


class WeakPassword(Exception):
    """`reason`: short, common, or name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def ensure_roles() -> None:
    """The roles every installation starts with; a hospital's changes to their rights are kept."""
    for code, (name_zh, name_en, rights) in ROLES.items():
        Role.objects.get_or_create(
            code=code,
            defaults={"name_zh": name_zh, "name_en": name_en, "rights": [str(right) for right in rights]},
        )


@transaction.atomic
def ensure_admin() -> str | None:
    """Makes the first administrator `admin`. Returns the password once, None if somebody is there already."""
    ensure_roles()
    if Person.objects.exists():
        return None
    password = secrets.token_urlsafe(12)
    admin = create_person(username="admin", name="admin", password=password)
    grant(admin, "administrator")
    return password


@transaction.atomic
def create_person(
    *,
    username: str,
    name: str,
    password: str | None = None,
    hospital: Place | None = None,
    place: Place | None = None,
    is_demo: bool = False,
    **details: str,
) -> Person:
    """A person; without a password they cannot sign in. `details`: phone, email, staff_no, language.

    Raises WeakPassword, IntegrityError if the name is taken.
    """
    if password is not None:
        require_strong(password, username=username)
    person = Person(
        username=username.strip(),
        name=name,
        sort_key=sort_key(name),
        hospital=hospital,
        place=place,
        is_demo=is_demo,
    )
    for field_name in ("phone", "email", "staff_no", "language"):
        setattr(person, field_name, details.pop(field_name, ""))
    if details:
        raise TypeError(f"unknown details: {', '.join(details)}")
    person.set_password(password)
    person.save()
    return person


def require_strong(password: str, *, username: str) -> None:
    """Raises WeakPassword."""
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword("short")
    if password.lower() in COMMON_PASSWORDS or len(set(password)) < 4:  # noqa: PLR2004 - aaaabbbb is no password
        raise WeakPassword("common")
    if username.lower() in password.lower():
        raise WeakPassword("name")


def authenticate_person(username: str, password: str, *, at: datetime | None = None) -> Person:
    """Whoever knows the password. Counts failures and locks for 15 minutes after five. Raises SignInRefused."""
    at = at or timezone.now()
    # PostgreSQL knows no NUL, so nobody is called that.
    known = Person.objects.filter(username__iexact=username.strip()) if "\x00" not in username else None
    person = known.first() if known is not None else None
    if person is None:
        check_password(password, _NO_ONE)
        raise SignInRefused
    if person.locked_until and person.locked_until > at:
        raise SignInRefused(person.locked_until)
    if not person.check_password(password):
        raise SignInRefused(_count_failure(person.pk, at))
    if not person.is_active:
        raise SignInRefused
    if person.failed_logins or person.locked_until:
        Person.objects.filter(pk=person.pk).update(failed_logins=0, locked_until=None)
    return person


def _count_failure(person_id: int, at: datetime) -> datetime | None:
    """Counted in the database, so that parallel guesses count too."""
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=person_id)
        person.failed_logins += 1
        if person.failed_logins >= FAILURES_BEFORE_LOCK:
            person.failed_logins, person.locked_until = 0, at + LOCKED_FOR
        person.save(update_fields=["failed_logins", "locked_until"])
    return person.locked_until if person.locked_until and person.locked_until > at else None


def change_password(person: Person, *, old: str, new: str, keep_session: str = "") -> None:
    """Ends every other session of the person. Raises SignInRefused if `old` is wrong, WeakPassword."""
    if not person.check_password(old):
        raise SignInRefused
    require_strong(new, username=person.username)
    person.set_password(new)
    person.save(update_fields=["password"])
    for sign_in in person.sign_ins.exclude(session_key=keep_session):
        end_session(person, sign_in.pk)


def set_language(person: Person, language: str) -> None:
    person.language = language
    person.save(update_fields=["language"])


@transaction.atomic
def touch_session(session_key: str, person: Person, *, address: str | None, agent: str) -> None:
    """Notes that a session is alive; the caller need not hold back, the row changes once a minute at most."""
    at = timezone.now()
    known = SignIn.objects.filter(session_key=session_key).first()
    if known is None:
        SignIn.objects.get_or_create(
            session_key=session_key,
            defaults={
                "person": person,
                "address": address,
                "agent": agent[:200],
                "started_at": at,
                "seen_at": at,
            },
        )
    elif known.seen_at < at - SEEN_EVERY:
        SignIn.objects.filter(pk=known.pk).update(seen_at=at, address=address)


@transaction.atomic
def end_session(person: Person, sign_in_id: int) -> None:
    """Signs one browser of `person` out. Raises SignIn.DoesNotExist for somebody else's."""
    sign_in = person.sign_ins.get(pk=sign_in_id)
    Session.objects.filter(session_key=sign_in.session_key).delete()
    sign_in.delete()


def grant(person: Person, role: str, place: Place | None = None) -> Grant:
    """Gives `person` the role in `place` and below; everywhere without one. Raises Role.DoesNotExist."""
    made, _ = Grant.objects.get_or_create(person=person, role=Role.objects.get(code=role), place=place)
    return made


def revoke(person: Person, role: str, place: Place | None = None) -> None:
    Grant.objects.filter(person=person, role__code=role, place=place).delete()


def create_team(
    *,
    code: str,
    name_zh: str,
    name_en: str,
    hospital: Place | None = None,
    is_desk: bool = False,
    is_demo: bool = False,
) -> Team:
    return Team.objects.create(
        code=code, name_zh=name_zh, name_en=name_en, hospital=hospital, is_desk=is_desk, is_demo=is_demo
    )


def join_team(team: Team, person: Person, *, is_lead: bool = False) -> None:
    Membership.objects.update_or_create(team=team, person=person, defaults={"is_lead": is_lead})


def create_token(person: Person, *, name: str, days: int | None = None) -> str:
    """A new API token, shown this once."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        person=person,
        name=name,
        digest=_digest(token),
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    return token


def person_of_token(token: str) -> Person | None:
    """Whose token it is, if it is valid and the person active; the use is noted once a minute."""
    found = ApiToken.objects.select_related("person").filter(digest=_digest(token)).first()
    at = timezone.now()
    if found is None or (found.expires_at and found.expires_at <= at) or not found.person.is_active:
        return None
    if found.used_at is None or found.used_at < at - SEEN_EVERY:
        ApiToken.objects.filter(pk=found.pk).update(used_at=at)
    return found.person


def _digest(token: str) -> str:
    # The token is 256 random bits, so a plain digest cannot be searched; no salt or stretching needed.
    return hashlib.sha256(token.encode()).hexdigest()


def deactivate(person: Person) -> None:
    """The person cannot sign in any more; sessions and tokens end. Their records stay theirs."""
    Person.objects.filter(pk=person.pk).update(is_active=False)
    for sign_in in person.sign_ins.all():
        end_session(person, sign_in.pk)
    person.tokens.all().delete()
