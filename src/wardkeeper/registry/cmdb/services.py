"""The only writers of configuration items, their relations and addresses."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from wardkeeper.registry.cmdb.models import (
    CI,
    Address,
    AddressKind,
    CIType,
    Consumer,
    LifeState,
    Relation,
    Tier,
)
from wardkeeper.registry.people.models import Team
from wardkeeper.registry.places.models import Place
from wardkeeper.registry.search import terms_of

TYPES: tuple[tuple[str, str, str, str, int, bool], ...] = (
    ("clinical_system", "临床业务系统", "Clinical system", "heart-rate-monitor", 2, True),
    ("application", "应用系统", "Application", "apps", 2, True),
    ("interface", "系统接口", "Interface", "arrows-exchange", 2, True),
    ("infrastructure", "基础设施服务", "Infrastructure service", "building-broadcast-tower", 2, True),
    ("database", "数据库", "Database", "database", 2, False),
    ("server", "服务器", "Server", "server", 1, False),
    ("storage", "存储", "Storage", "server-2", 2, False),
    ("switch", "交换机", "Switch", "switch-2", 1, False),
    ("core_switch", "核心交换机", "Core switch", "switch-2", 3, False),
    ("router", "路由器", "Router", "router", 2, False),
    ("firewall", "防火墙", "Firewall", "wall", 2, False),
    ("ap", "无线接入点", "Access point", "access-point", 1, False),
    ("ups", "不间断电源", "UPS", "battery-charging", 2, False),
    ("cooling", "精密空调", "Precision cooling", "air-conditioning", 2, False),
    ("website", "网站", "Web site", "world-www", 1, False),
    ("pc", "电脑", "PC", "device-desktop", 0, False),
    ("printer", "打印机", "Printer", "printer", 0, False),
    ("pda", "移动护理终端", "Nursing PDA", "device-mobile", 0, False),
    ("kiosk", "自助机", "Self-service kiosk", "device-tablet", 0, False),
    ("queue_screen", "叫号屏", "Queue display", "device-tv", 0, False),
    ("medical_device", "医疗设备", "Medical device", "stethoscope", 0, False),
    ("other", "其他", "Other", "box", 0, False),
)
"""code, Chinese name, English name, icon, breadth, whether it is a service"""


class Stale(Exception):
    """Somebody else changed the CI meanwhile. `current` is how it stands now."""

    def __init__(self, current: CI) -> None:
        super().__init__(f"{current.code} is at version {current.version}")
        self.current = current


def ensure_types() -> None:
    for code, name_zh, name_en, icon, breadth, is_service in TYPES:
        CIType.objects.get_or_create(
            code=code,
            defaults={
                "name_zh": name_zh,
                "name_en": name_en,
                "icon": icon,
                "breadth": breadth,
                "is_service": is_service,
            },
        )


@transaction.atomic
def create_ci(
    *,
    type_code: str,
    code: str,
    name: str,
    place: Place,
    name_en: str = "",
    tier: str = Tier.T3,
    owner_team: Team | None = None,
    attributes: Mapping[str, Any] | None = None,
    addresses: Sequence[tuple[str, str]] = (),
    is_demo: bool = False,
) -> CI:
    """A new CI in use at `place`. `addresses`: (kind, value) pairs, the first of a kind is its main one.

    Raises CIType.DoesNotExist, AddressTaken, IntegrityError if the code is taken.
    """
    ci = CI.objects.create(
        hospital=place.hospital or place,
        type=CIType.objects.get(code=type_code),
        code=code,
        name=name,
        name_en=name_en,
        tier=tier,
        place=place,
        place_path=place.path,
        owner_team=owner_team,
        attributes=dict(attributes or {}),
        is_demo=is_demo,
    )
    for kind, value in addresses:
        add_address(ci, kind=kind, value=value)
    _index(ci)
    return ci


class AddressTaken(Exception):
    """Another CI of the hospital has the address. `owner` is that CI."""

    def __init__(self, owner: CI, value: str) -> None:
        super().__init__(f"{value} belongs to {owner.code}")
        self.owner = owner
        self.value = value


def add_address(ci: CI, *, kind: str, value: str) -> Address:
    """Raises AddressTaken, ValueError for what is not an address."""
    value = normal_address(kind, value)
    taken = (
        Address.objects.select_related("ci")
        .filter(hospital_id=ci.hospital_id, kind=kind, value=value)
        .first()
    )
    if taken is not None:
        if taken.ci_id == ci.pk:
            return taken
        raise AddressTaken(taken.ci, value)
    is_first = not Address.objects.filter(ci=ci, kind=kind).exists()
    return Address.objects.create(hospital_id=ci.hospital_id, ci=ci, kind=kind, value=value, is_main=is_first)


def normal_address(kind: str, value: str) -> str:
    """The one spelling under which an address is stored. Raises ValueError."""
    value = value.strip().lower()
    if kind == AddressKind.IP:
        return str(ipaddress.ip_address(value))
    if kind == AddressKind.MAC:
        digits = "".join(at for at in value if at in "0123456789abcdef")
        if len(digits) != 12:  # noqa: PLR2004 - IEEE 802: 48 bits
            raise ValueError(f"{value!r} is not a MAC address")
        return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
    if not value or len(value) > 253 or any(at.isspace() for at in value):  # noqa: PLR2004 - RFC 1035 2.3.4
        raise ValueError(f"{value!r} is not a host name")
    return value.rstrip(".")


@transaction.atomic
def change_ci(ci_id: int, *, version: int, **changes: Any) -> CI:
    """Changes a CI that still is at `version`. Raises Stale with the present state, ValueError for a wrong field."""
    allowed = {"name", "name_en", "tier", "place", "owner_team", "life_state", "attributes", "type"}
    if unknown := set(changes) - allowed:
        raise ValueError(f"cannot change {', '.join(sorted(unknown))} of a CI")
    ci = CI.objects.select_for_update().get(pk=ci_id)
    if ci.version != version:
        raise Stale(ci)
    for name, value in changes.items():
        setattr(ci, name, value)
    ci.place_path, ci.hospital_id = ci.place.path, ci.place.hospital_id or ci.place.pk
    ci.version += 1
    ci.save()
    _index(ci)
    return ci


def merge_attributes(ci_id: int, attributes: Mapping[str, Any]) -> None:
    """Adds what a device says about itself. What people entered under the same name stays."""
    with transaction.atomic():
        ci = CI.objects.select_for_update().get(pk=ci_id)
        observed = {key: value for key, value in attributes.items() if value not in (None, "")}
        if ci.attributes.get("observed") != observed:
            ci.attributes["observed"] = observed
            ci.save(update_fields=["attributes", "changed_at"])
            _index(ci)


def relate(source: CI, kind: str, target: CI) -> Relation:
    return Relation.objects.get_or_create(kind=kind, source=source, target=target)[0]


def add_consumer(ci: CI, place: Place) -> Consumer:
    return Consumer.objects.get_or_create(ci=ci, place=place)[0]


def retire(ci_id: int) -> None:
    CI.objects.filter(pk=ci_id).update(life_state=LifeState.RETIRED)


def _index(ci: CI) -> None:
    words = [ci.code, ci.name, ci.name_en, *ci.addresses.values_list("value", flat=True)]
    words += [str(value) for value in ci.attributes.get("observed", {}).values()]
    ci.terms = terms_of(*words)
    ci.save(update_fields=["terms"])
