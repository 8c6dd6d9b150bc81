"""What the frame around every page needs to know."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from wardkeeper.presentation.reader import scope
from wardkeeper.presentation.web import times
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import Scope
from wardkeeper.settings import current


@dataclass(frozen=True, slots=True)
class Room:
    """One line of the navigation: shown to those who hold `right` somewhere, if its page is there."""

    name: str
    title: str
    icon: str
    right: Right
    keys: str = ""


ROOMS = (
    Room("workbench", _("Workbench"), "layout-dashboard", Right.RECORD_VIEW, "g w"),
    Room("desk", _("Service desk"), "headset", Right.DESK, "g d"),
    Room("incidents", _("Incidents"), "ticket", Right.RECORD_VIEW, "g i"),
    Room("alarms", _("Alarms"), "bell", Right.ALARM_VIEW, "g a"),
    Room("cis", _("Configuration"), "sitemap", Right.CMDB_VIEW, "g c"),
    Room("admin", _("Administration"), "settings", Right.SYSTEM_ADMIN, ""),
    Room("portal:home", _("Report a fault"), "message-plus", Right.REPORT, "g p"),
)


@dataclass(frozen=True, slots=True)
class NavLine:
    name: str
    title: str
    icon: str
    url: str
    keys: str
    is_here: bool


def page_url(name: str) -> str:
    """The address of a page, "" while its room is not there."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def events_url(request: HttpRequest) -> str:
    """Where this browser finds the event stream; "" if that cannot be known, and pages poll instead."""
    web = current().web
    if web.events_url:
        return web.events_url
    listen_port = web.listen.rpartition(":")[2]
    if request.get_port() != listen_port:
        # Behind a proxy or a mapped port the neighbour port is anybody's.
        return ""
    port = web.events_listen.rpartition(":")[2] or str(int(listen_port) + 1)
    host = request.get_host()
    if host.endswith(f":{listen_port}"):
        host = host[: -len(listen_port) - 1]
    return f"{request.scheme}://{host}:{port}/events/"


class Shell:
    """Lazy, so that a fragment which shows none of it pays for none of it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def site_name(self) -> str:
        return current().site.name

    @cached_property
    def language(self) -> str:
        return get_language() or settings.LANGUAGE_CODE

    @cached_property
    def languages(self) -> list[tuple[str, str]]:
        return list(settings.LANGUAGES)

    @cached_property
    def html_language(self) -> str:
        return "zh-Hans" if self.language.startswith("zh") else self.language

    @cached_property
    def scope(self) -> Scope:
        return scope(self._request)

    @cached_property
    def rights(self) -> dict[str, bool]:
        """`shell.rights.alarm_view` in a template: whether the reader has the right anywhere."""
        return {right.name.lower(): self.scope.may(right) for right in Right}

    @cached_property
    def nav(self) -> list[NavLine]:
        path = self._request.path
        lines = []
        for room in ROOMS:
            url = page_url(room.name) if self.scope.may(room.right) else ""
            if url:
                is_here = path == url or (url != "/" and path.startswith(url))
                lines.append(NavLine(room.name, gettext(room.title), room.icon, url, room.keys, is_here))
        return lines

    @cached_property
    def new_links(self) -> list[tuple[str, str, str]]:
        """(address, title, icon) of what the reader may make."""
        offers = (
            ("desk-new", _("New incident"), "ticket", Right.DESK),
            ("incident-new", _("New incident"), "ticket", Right.RECORD_WORK),
            ("device-add", _("Add a device"), "plug-connected", Right.DEVICE_ADD),
            ("portal:home", _("Report a fault"), "message-plus", Right.REPORT),
        )
        found: dict[str, tuple[str, str, str]] = {}
        for name, title, icon, right in offers:
            url = page_url(name) if self.scope.may(right) else ""
            if url:
                found.setdefault(title, (url, gettext(title), icon))
        return list(found.values())

    @cached_property
    def search_url(self) -> str:
        return page_url("search")

    @cached_property
    def events_url(self) -> str:
        return events_url(self._request)

    @cached_property
    def place_name(self) -> str:
        """The reader's hospital; the site's own name for those who work for all of them."""
        hospital = getattr(self._request.user, "hospital", None)
        return str(getattr(hospital, "name", "") or self.site_name)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Patterns that scripts fill; a script holds no words of its own."""
        return times.patterns()


def shell(request: HttpRequest) -> dict[str, Shell]:
    return {"shell": Shell(request)}
