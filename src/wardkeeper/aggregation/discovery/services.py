"""The only writers of what is watched; tells the collectors, and learns from what devices say of themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from wardkeeper.aggregation.discovery.models import Component, WatchTarget
from wardkeeper.bus.outbox import announce
from wardkeeper.messages import DeviceDescribed, Target, TargetsAssigned
from wardkeeper.registry.cmdb import services as cmdb
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.people.models import Team
from wardkeeper.registry.places.models import Place
from wardkeeper.settings import current
from wardkeeper.settings.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One way of watching: `config` and `secrets` as the adapter's Config names them."""

    adapter: str
    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)
    interval_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A device as a person adds it."""

    name: str
    address: str
    type_code: str
    place: Place
    code: str = ""
    name_en: str = ""
    tier: str = "T3"
    owner_team: Team | None = None
    watches: tuple[Watch, ...] = ()
    is_demo: bool = False


@transaction.atomic
def add_device(new: NewDevice, *, collector: str = "local") -> CI:
    """Puts a device into the CMDB and has it watched.

    Raises cmdb.AddressTaken, ValueError for what is not an address, IntegrityError if the code is taken.
    """
    kind = "ip" if _is_ip(new.address) else "name"
    ci = cmdb.create_ci(
        type_code=new.type_code,
        code=new.code or new.name[:60],
        name=new.name,
        name_en=new.name_en,
        place=new.place,
        tier=new.tier,
        owner_team=new.owner_team,
        addresses=[(kind, new.address)],
        is_demo=new.is_demo,
    )
    for way in new.watches:
        _add_target(ci, way, collector)
    if new.watches:
        assign(collector)
    return ci


def _is_ip(text: str) -> bool:
    try:
        cmdb.normal_address("ip", text)
    except ValueError:
        return False
    return True


@transaction.atomic
def watch(ci: CI, way: Watch, *, collector: str = "local") -> WatchTarget:
    """Adds one more way of watching. The same adapter with the same configuration is there only once."""
    target = _add_target(ci, way, collector)
    assign(collector)
    return target


def _add_target(ci: CI, way: Watch, collector: str) -> WatchTarget:
    secrets = Vault(current().secret_key).seal(way.secrets) if way.secrets else ""
    target, is_new = WatchTarget.objects.get_or_create(
        ci=ci,
        adapter=way.adapter,
        config=dict(way.config),
        defaults={"collector": collector, "interval_s": way.interval_s, "secrets": secrets},
    )
    if not is_new:
        target.secrets, target.interval_s, target.is_enabled = secrets, way.interval_s, True
        target.save(update_fields=["secrets", "interval_s", "is_enabled"])
    return target


@transaction.atomic
def unwatch(target_id: str) -> None:
    target = WatchTarget.objects.select_for_update().get(pk=target_id)
    target.is_enabled = False
    target.save(update_fields=["is_enabled"])
    assign(target.collector)


@transaction.atomic
def assign(collector: str) -> None:
    """Tells a collector its whole list. The counter's row stays locked, so lists leave in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO discovery_assignmentversion (collector, version) VALUES (%s, 1)
            ON CONFLICT (collector) DO UPDATE SET version = discovery_assignmentversion.version + 1
            RETURNING version
            """,
            [collector],
        )
        version = cursor.fetchone()[0]
    rows = WatchTarget.objects.filter(collector=collector, is_enabled=True).exclude(ci__life_state="retired")
    targets = tuple(
        Target(
            id=str(row.pk),
            ci=row.ci_id,
            adapter=row.adapter,
            interval_s=row.interval_s,
            config=row.config,
            secrets=row.secrets,
        )
        for row in rows.order_by("created_at", "pk")
    )
    announce(TargetsAssigned(collector=collector, version=version, targets=targets))


@transaction.atomic
def learn(described: Iterable[DeviceDescribed]) -> None:
    """Takes over what devices say of themselves: attributes, and their parts. A vanished part is marked gone."""
    for device in described:
        if not CI.objects.filter(pk=device.ci).exists():
            continue
        cmdb.merge_attributes(device.ci, device.attributes)
        # A mount point can be there twice; one statement may not write one row twice.
        parts = {(part.kind, part.instance[:120]): part for part in device.components}
        Component.objects.bulk_create(
            (
                Component(
                    ci_id=device.ci,
                    kind=part.kind,
                    instance=part.instance[:120],
                    name=part.name[:200],
                    attributes=dict(part.attributes),
                    seen_at=device.happened_at,
                )
                for part in parts.values()
            ),
            update_conflicts=True,
            unique_fields=["ci", "kind", "instance"],
            update_fields=["name", "attributes", "seen_at", "is_gone"],
        )
        if device.components:
            known = Component.objects.filter(ci=device.ci, is_gone=False, seen_at__lt=device.happened_at)
            known.update(is_gone=True)
