"""What a device consists of, read from the answers of a discovery. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan

from wardkeeper.acquisition.adapters.snmp_poll import oid
from wardkeeper.acquisition.text import text
from wardkeeper.messages import Component

Value = int | float | str | bytes | None
Answers = Mapping[str, Value]

SCALARS = (
    oid.SYS_UP_TIME,
    oid.SYS_NAME,
    oid.SYS_DESCR,
    oid.SYS_OBJECT_ID,
    oid.SYS_LOCATION,
    oid.SYS_CONTACT,
    oid.IF_NUMBER,
    oid.IF_TABLE_LAST_CHANGE,
    oid.SNMP_ENGINE_TIME,
    oid.HR_SYSTEM_UPTIME,
    oid.UPS_MANUFACTURER,
    oid.UPS_MODEL,
    oid.UPS_OUTPUT_SOURCE,
    oid.UPS_SECONDS_ON_BATTERY,
    oid.UPS_ESTIMATED_MINUTES_REMAINING,
    oid.UPS_ESTIMATED_CHARGE_REMAINING,
    oid.UCD_LOAD_1M,
    oid.UCD_MEM_TOTAL,
    oid.UCD_MEM_FREE,
    oid.UCD_MEM_BUFFER,
    oid.UCD_MEM_CACHED,
    oid.UCD_MEM_AVAILABLE,
)
"""Asked once at a discovery; a poll asks again only for those that were answered and that vary."""

CONSTANT = frozenset(
    (
        oid.SYS_NAME,
        oid.SYS_DESCR,
        oid.SYS_OBJECT_ID,
        oid.SYS_LOCATION,
        oid.SYS_CONTACT,
        oid.UPS_MANUFACTURER,
        oid.UPS_MODEL,
    )
)

TEXT_COLUMNS = (oid.IF_DESCR, oid.IF_NAME, oid.IF_ALIAS, oid.HR_STORAGE_DESCR)
COLUMNS = (
    oid.IF_TYPE,
    oid.IF_SPEED,
    oid.IF_HIGH_SPEED,
    oid.IF_PHYS_ADDRESS,
    oid.IF_HC_IN_OCTETS,
    oid.HR_STORAGE_TYPE,
    oid.HR_STORAGE_UNITS,
    oid.HR_STORAGE_SIZE,
    oid.HR_PROCESSOR_LOAD,
)

MEASURED_STORAGE = frozenset(("fixed_disk", "ram_disk", "flash_memory", "network_disk"))
"""Not RAM (host.memory_share says it better), and not compact discs, which are always full."""

_MAC_OCTETS = 6


@dataclass(frozen=True, slots=True)
class Interface:
    """One row of ifTable. `counter_bits` is 64 where ifXTable counts its octets, else 32."""

    index: str
    name: str
    descr: str
    alias: str
    type: int
    mac: str
    speed_bps: float
    has_high_speed: bool
    counter_bits: int


@dataclass(frozen=True, slots=True)
class Storage:
    """One row of hrStorageTable."""

    index: str
    name: str
    kind: str
    unit_bytes: int
    size_bytes: float


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a discovery found. Two equal ones describe the device alike.

    scalars  the single objects that were answered
    own      objects of the vendor's own MIB, see profile.py
    """

    system: Mapping[str, str]
    interfaces: tuple[Interface, ...]
    storages: tuple[Storage, ...]
    processors: tuple[str, ...]
    scalars: tuple[str, ...]
    own: tuple[str, ...] = ()

    def components(self) -> tuple[Component, ...]:
        interfaces = tuple(
            Component(
                kind="interface",
                instance=each.index,
                name=each.name,
                attributes={
                    "descr": each.descr,
                    "alias": each.alias,
                    "type": each.type,
                    "mac": each.mac,
                    "speed_bps": each.speed_bps,
                    "counter_bits": each.counter_bits,
                },
            )
            for each in self.interfaces
        )
        storages = tuple(
            Component(
                kind="storage",
                instance=each.index,
                name=each.name,
                attributes={"type": each.kind, "size_bytes": each.size_bytes},
            )
            for each in self.storages
            if each.kind in MEASURED_STORAGE
        )
        return interfaces + storages


def number(value: Value) -> float:
    """A value as a sample; NaN for what is no number. Text of digits counts: net-snmp's laLoad is "0.24"."""
    if type(value) is int:
        return float(value)
    if isinstance(value, int | float):
        return float(value) if isfinite(value) else nan
    if value is None:
        return nan
    try:
        found = float(value)
    except ValueError:
        return nan
    return found if isfinite(found) else nan


def integer(value: Value) -> int:
    """A whole number, 0 if it is none."""
    return value if isinstance(value, int) else 0


def unsigned(value: Value) -> float:
    """A size whose agent let a 32-bit integer run over: hrStorageSize of more than 2^31 units is sent negative."""
    found = number(value)
    return found + (1 << 32) if found < 0 else found


def inventory(answers: Answers, own: tuple[str, ...] = ()) -> Inventory:
    """What the answers to SCALARS, TEXT_COLUMNS and COLUMNS tell."""
    system = {
        "sys_name": text(answers.get(oid.SYS_NAME)),
        "sys_descr": text(answers.get(oid.SYS_DESCR)),
        "sys_object_id": text(answers.get(oid.SYS_OBJECT_ID)),
        "sys_location": text(answers.get(oid.SYS_LOCATION)),
        "sys_contact": text(answers.get(oid.SYS_CONTACT)),
        "ups_manufacturer": text(answers.get(oid.UPS_MANUFACTURER)),
        "ups_model": text(answers.get(oid.UPS_MODEL)),
    }
    interfaces = _indexes(answers, oid.IF_DESCR, oid.IF_NAME)
    storages = _indexes(answers, oid.HR_STORAGE_TYPE)
    return Inventory(
        system={name: value for name, value in system.items() if value},
        interfaces=tuple(_interface(answers, index) for index in interfaces),
        storages=tuple(_storage(answers, index) for index in storages),
        processors=_indexes(answers, oid.HR_PROCESSOR_LOAD),
        scalars=tuple(name for name in SCALARS if name in answers),
        own=own,
    )


def _indexes(answers: Answers, *columns: str) -> tuple[str, ...]:
    """Rows of any of these columns, in the agent's order."""
    found: set[str] = set()
    for column in columns:
        start = len(column) + 1
        found.update(key[start:] for key in answers if key.startswith(f"{column}."))
    return tuple(sorted((index for index in found if index.isdecimal()), key=int))


def _interface(answers: Answers, index: str) -> Interface:
    descr = text(answers.get(f"{oid.IF_DESCR}.{index}"))
    mac = answers.get(f"{oid.IF_PHYS_ADDRESS}.{index}")
    high_mbps = number(answers.get(f"{oid.IF_HIGH_SPEED}.{index}"))
    speed = number(answers.get(f"{oid.IF_SPEED}.{index}"))
    return Interface(
        index=index,
        name=text(answers.get(f"{oid.IF_NAME}.{index}")) or descr or index,
        descr=descr,
        alias=text(answers.get(f"{oid.IF_ALIAS}.{index}")),
        type=integer(answers.get(f"{oid.IF_TYPE}.{index}")),
        mac=mac.hex(":") if isinstance(mac, bytes) and len(mac) == _MAC_OCTETS else "",
        # ifHighSpeed counts whole Mbit/s: a 64 kbit/s line says 0 there and the truth in ifSpeed.
        speed_bps=high_mbps * 1e6 if high_mbps > 0 else (speed if speed > 0 else 0.0),
        has_high_speed=high_mbps > 0,
        counter_bits=64 if f"{oid.IF_HC_IN_OCTETS}.{index}" in answers else 32,
    )


def _storage(answers: Answers, index: str) -> Storage:
    units = max(integer(answers.get(f"{oid.HR_STORAGE_UNITS}.{index}")), 1)
    size = unsigned(answers.get(f"{oid.HR_STORAGE_SIZE}.{index}"))
    return Storage(
        index=index,
        name=text(answers.get(f"{oid.HR_STORAGE_DESCR}.{index}")),
        kind=oid.STORAGE_KINDS.get(text(answers.get(f"{oid.HR_STORAGE_TYPE}.{index}")), "other"),
        unit_bytes=units,
        size_bytes=size * units if isfinite(size) else 0.0,
    )
