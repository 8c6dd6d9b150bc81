"""Who works here, in which team, and what each may do where."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import get_language


class PersonManager(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(username__iexact=username)


class Person(AbstractBaseUser):
    """Somebody who signs in, reports or is called. `hospital` empty: works for all of them."""

    username = models.CharField(max_length=64)
    name = models.CharField(max_length=80)
    sort_key = models.CharField(max_length=120, default="", editable=False)
    staff_no = models.CharField(max_length=40, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=10, blank=True)
    hospital = models.ForeignKey("places.Place", models.PROTECT, null=True, blank=True, related_name="+")
    place = models.ForeignKey("places.Place", models.SET_NULL, null=True, blank=True, related_name="+")
    skills: "models.ManyToManyField[Skill, models.Model]" = models.ManyToManyField("Skill", blank=True)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    failed_logins = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonManager()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("username"), name="username_once")]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class Skill(models.Model):
    code = models.CharField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.code


class Team(models.Model):
    """A group that work is assigned to. `is_desk` marks the service desk of its hospital."""

    hospital = models.ForeignKey("places.Place", models.PROTECT, null=True, blank=True, related_name="+")
    code = models.CharField(max_length=40)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    phone = models.CharField(max_length=40, blank=True)
    is_desk = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    members = models.ManyToManyField(Person, through="Membership", related_name="teams")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hospital", "code"], nulls_distinct=False, name="team_code_once"),
            models.UniqueConstraint(
                fields=["hospital"],
                condition=models.Q(is_desk=True),
                nulls_distinct=False,
                name="one_desk_a_hospital",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_zh if (get_language() or "zh").startswith("zh") else self.name_en


class Membership(models.Model):
    team = models.ForeignKey(Team, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE)
    is_lead = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "person"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.team_id}"


class Role(models.Model):
    """A named set of rights. `rights` are codes of `wardkeeper.registry.people.rights`."""

    code = models.CharField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    rights = ArrayField(models.CharField(max_length=40), default=list)

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_zh if (get_language() or "zh").startswith("zh") else self.name_en


class Grant(models.Model):
    """`person` has `role` in `place` and all below it; everywhere if no place is named."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="grants")
    role = models.ForeignKey(Role, models.PROTECT)
    place = models.ForeignKey("places.Place", models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "role", "place"], nulls_distinct=False, name="grant_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role_id} {self.place_id}"


class SignIn(models.Model):
    """One browser that is signed in, for the list in which its owner can end it."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.person_id} since {self.started_at:%F %T}"


class ApiToken(models.Model):
    """A bearer token. Only its digest is kept, so a dump of the database opens nothing."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
