"""The simulated devices as CIs that are really polled."""

from wardkeeper.aggregation.discovery.services import NewDevice, Watch, add_device
from wardkeeper.cli.demo.devices.fleet import FLEET, SNMP_PORT, Simulated
from wardkeeper.registry.cmdb import services as cmdb
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.people.models import Team
from wardkeeper.registry.places.models import Place

INTERVAL_S = 10.0
"""Short, so that a broken device shows while somebody looks on."""


def watch_devices(units: dict[str, Place], systems: dict[str, CI], teams: dict[str, Team]) -> None:
    """Adds every device with its watches, and what depends on it."""
    for device in FLEET:
        ci = add_device(
            NewDevice(
                name=device.name_zh,
                name_en=device.name_en,
                code=device.code,
                address=device.address,
                type_code=device.type_code,
                place=units[device.unit],
                tier=device.tier,
                owner_team=teams[device.team],
                watches=_watches(device),
                is_demo=True,
            )
        )
        for code in device.carries:
            cmdb.relate(systems[code], "runs_on", ci)
        for code in device.used_by:
            cmdb.add_consumer(ci, units[code])


def _watches(device: Simulated) -> tuple[Watch, ...]:
    if device.url:
        return (Watch(adapter="http", config={"url": device.url, "timeout_s": 5.0}, interval_s=INTERVAL_S),)
    config = {"host": device.address, "port": SNMP_PORT, "request_timeout_s": 1.0}
    return (
        Watch(adapter="snmp_poll", config=config, secrets={"community": "public"}, interval_s=INTERVAL_S),
    )
