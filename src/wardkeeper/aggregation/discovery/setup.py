"""The first thing that is watched: this machine itself."""

import socket

import psutil

from wardkeeper.aggregation.discovery import services
from wardkeeper.aggregation.discovery.models import WatchTarget
from wardkeeper.registry.cmdb import services as cmdb
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.people.models import Team
from wardkeeper.registry.places.models import Place
from wardkeeper.registry.places.queries import first_hospital

CODE = "WARDKEEPER"


def ensure() -> None:
    hospital = first_hospital()
    if hospital is None or WatchTarget.objects.exists() or CI.objects.filter(code=CODE).exists():
        return
    name = socket.gethostname()
    ci = cmdb.create_ci(
        type_code="server",
        code=CODE,
        name=f"{name} (医维)",
        name_en=f"{name} (Wardkeeper)",
        place=Place.objects.get(hospital=hospital, code="IC"),
        tier="T2",
        owner_team=Team.objects.filter(hospital=hospital, code="servers").first(),
    )
    for kind, value in _addresses(name):
        cmdb.add_address(ci, kind=kind, value=value)
    services.watch(ci, services.Watch(adapter="host", config={}, interval_s=15))


def _addresses(name: str) -> list[tuple[str, str]]:
    """Loopback first: what programs on this machine send comes from there."""
    found = [("ip", "127.0.0.1"), ("name", name.lower())]
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            value = address.address.split("%")[0]
            is_local = value.startswith(("127.", "fe80:")) or value == "::1"
            if address.family in (socket.AF_INET, socket.AF_INET6) and not is_local:
                found.append(("ip", value))
    return list(dict.fromkeys(found))
