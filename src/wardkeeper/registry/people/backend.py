"""Lets Django's login machinery ask our services."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from wardkeeper.registry.people import services
from wardkeeper.registry.people.models import Person


class PasswordBackend(BaseBackend):
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> Person | None:
        del request  # where it comes from does not matter to whether the password is right
        if username is None or password is None:
            return None
        try:
            return services.authenticate_person(username, password)
        except services.SignInRefused:
            return None

    def get_user(self, user_id: int) -> Person | None:
        return Person.objects.filter(pk=user_id, is_active=True).first()
