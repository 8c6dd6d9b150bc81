"""Add a device: its address and credentials are tried before anything is saved."""

import asyncio
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from wardkeeper.acquisition.adapters.snmp_poll.probe import Reason, TestResult, test
from wardkeeper.acquisition.contract import ConfigError
from wardkeeper.acquisition.credentials import separated
from wardkeeper.aggregation.discovery import services as discovery
from wardkeeper.presentation.reader import demand, scope
from wardkeeper.presentation.web.views.record_changes import number_of, text_of
from wardkeeper.registry.cmdb import queries as cmdb
from wardkeeper.registry.cmdb.services import AddressTaken
from wardkeeper.registry.people import queries as people
from wardkeeper.registry.people.rights import Right

FIELDS = ("name", "address", "version", "community", "user", "auth_protocol", "priv_protocol", "url")
PASSWORDS = ("community", "auth_password", "priv_password")


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    rights = demand(request, Right.DEVICE_ADD)
    words: dict[str, Any] = {
        "places": people.places_of(rights)
        .filter(rights.where(Right.DEVICE_ADD, path="path"))
        .order_by("path")[:500],
        "teams": people.teams(rights.hospitals(Right.DEVICE_ADD)),
        "types": cmdb.types().filter(is_service=False),
        "typed": request.POST,
        "way": request.POST.get("way", "snmp"),
        "problem": "",
        "result": None,
        "sysname": "",
    }
    if request.method == "GET":
        return render(request, "web/cis/add.html", words)
    try:
        watches, result = _watches(request)
    except ConfigError as refused:
        words["problem"] = str(refused)
        return render(request, "web/cis/add.html", words, status=422)
    if result is not None:
        words |= {"result": result, "said": _said(result), "sysname": result.sysname}
    is_good = result is None or result.ok
    if request.POST.get("what") == "test" or not is_good:
        return render(request, "web/cis/add.html", words, status=200 if is_good else 422)
    return _save(request, words, watches)


def _watches(request: HttpRequest) -> tuple[tuple[discovery.Watch, ...], TestResult | None]:
    """(how it will be watched, what came of trying it). Raises ConfigError."""
    way, host = request.POST.get("way", "snmp"), text_of(request, "address", 253)
    if not host:
        raise ConfigError(_("Give the address."))
    ping = discovery.Watch(adapter="icmp", config={"host": host}, interval_s=30)
    if way == "ping":
        return (ping,), None
    if way == "http":
        config, secrets = separated("http", {"url": text_of(request, "url", 500) or f"http://{host}/"})
        return (discovery.Watch(adapter="http", config=config, secrets=secrets, interval_s=60),), None
    given = _snmp(request, host)
    config, secrets = separated("snmp_poll", given)
    result = asyncio.run(test(config, secrets))
    return (discovery.Watch(adapter="snmp_poll", config=config, secrets=secrets, interval_s=60), ping), result


def _snmp(request: HttpRequest, host: str) -> dict[str, Any]:
    version = text_of(request, "version", 2) or "2c"
    port = number_of(request, "port")
    given: dict[str, Any] = {"host": host, "port": port or 161, "version": version}
    if version != "3":
        return given | {"community": text_of(request, "community", 100) or "public"}
    for name in ("user", "auth_protocol", "priv_protocol", "auth_password", "priv_password"):
        if value := text_of(request, name, 100):
            given[name] = value
    return given


def _said(result: TestResult) -> str:
    texts = {
        Reason.TIMEOUT: _("No answer. Check the address, the firewall and, with v1 or v2c, the community."),
        Reason.COLLECTOR: _("This machine cannot ask just now: %(why)s") % {"why": result.detail},
        Reason.REFUSED: _("The host is there, but no SNMP agent listens on that port."),
        Reason.UNKNOWN_HOST: _("This name is not known."),
        Reason.NETWORK: _("There is no way to that address from here."),
        Reason.PROTOCOL: _("Something answers there, but it is not SNMP."),
        Reason.COMMUNITY: _("The device is there, but does not accept this community."),
        Reason.WRONG_VERSION: _("It accepts these credentials with version %(version)s.")
        % {"version": result.detail},
        Reason.AUTHENTICATION: _("User, authentication protocol or password is wrong."),
        Reason.PRIVACY: _("The authentication is right, the privacy protocol or password is not."),
        Reason.NO_ACCESS: _("The credentials are right, but may not read the device's description."),
        Reason.MISCONFIGURED: result.detail,
    }
    return texts.get(result.reason, "")


def _save(request: HttpRequest, words: dict[str, Any], watches: tuple[discovery.Watch, ...]) -> HttpResponse:
    result: TestResult | None = words["result"]
    place = words["places"].model.objects.filter(pk=number_of(request, "place") or 0).first()
    kind = cmdb.types().filter(code=text_of(request, "type", 40)).first()
    name = (
        text_of(request, "name", 120)
        or (result.sysname if result else "")
        or text_of(request, "address", 120)
    )[:120]
    if place is None or kind is None:
        words["problem"] = _("Choose a place and a type.")
        return render(request, "web/cis/add.html", words, status=422)
    scope(request).demand(Right.DEVICE_ADD, place.path)
    try:
        made = discovery.add_device(
            discovery.NewDevice(
                name=name,
                address=text_of(request, "address", 253),
                type_code=kind.code,
                place=place,
                tier=text_of(request, "tier", 2)
                if text_of(request, "tier", 2) in ("T1", "T2", "T3", "T4")
                else "T3",
                owner_team=words["teams"].filter(pk=number_of(request, "team") or 0).first(),
                watches=watches,
            )
        )
    except AddressTaken as taken:
        words["problem"] = _("%(address)s already belongs to %(ci)s.") % {
            "address": taken.value,
            "ci": taken.owner.title,
        }
    except ValueError:
        words["problem"] = _("This is neither an IP address nor a host name.")
    except IntegrityError:
        words["problem"] = _("A configuration item of this name exists already; give another name.")
    else:
        messages.success(
            request,
            _("%(name)s is watched from now on. The first figures come within a minute.") % {"name": name},
        )
        return redirect("ci", made.pk)
    return render(request, "web/cis/add.html", words, status=422)
