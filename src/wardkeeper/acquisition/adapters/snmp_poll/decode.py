"""From a device's answers to series: what one poll asks (`plan`), and what its answers mean (`measure`). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan, nan

from wardkeeper.acquisition.adapters.snmp_poll import oid
from wardkeeper.acquisition.adapters.snmp_poll.inventory import (
    CONSTANT,
    MEASURED_STORAGE,
    Answers,
    Inventory,
    integer,
    number,
    unsigned,
)
from wardkeeper.acquisition.adapters.snmp_poll.profile import Profile, profile_of
from wardkeeper.acquisition.columns import Columns
from wardkeeper.acquisition.rate import octets_to_bps

COUNTERS = (
    ("interface.in_errors", oid.IF_IN_ERRORS),
    ("interface.out_errors", oid.IF_OUT_ERRORS),
    ("interface.in_discards", oid.IF_IN_DISCARDS),
    ("interface.out_discards", oid.IF_OUT_DISCARDS),
)

_UP = 1
_UNKNOWN = 4
_DOWN = frozenset((2, 7))
"""ifOperStatus down(2) and lowerLayerDown(7). Not notPresent(6): an empty slot has no cable to lose."""

_ENGINE_TIME_TRUSTED_S = 1 << 31
_TICKS_PER_S = 100
_TICKS = 1 << 32


@dataclass(frozen=True, slots=True)
class Block:
    """One column of a table for some rows.

    whole  these are all rows that the column has, so a walk reads them and nothing else
    """

    column: str
    indexes: tuple[str, ...]
    whole: bool
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one poll asks of a device, and the names of the series that come of it."""

    inventory: Inventory
    scalars: tuple[str, ...]
    blocks: tuple[Block, ...]
    names: tuple[str, ...]

    @property
    def asked(self) -> int:
        return len(self.scalars) + sum(len(block.keys) for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Octets:
    """The octet counters of one poll, kept for the rates of the next.

    received, sent   by row of Inventory.interfaces; None where not answered
    received_s, sent_s   when they arrived, by our monotonic clock
    """

    received: tuple[int | None, ...]
    sent: tuple[int | None, ...]
    received_s: float
    sent_s: float


def plan(inventory: Inventory) -> Plan:
    """The shortest list of requests that measures everything the device has."""
    blocks = [*_interface_blocks(inventory), *_host_blocks(inventory)]
    if inventory.own:
        blocks.append(Block("", (), whole=False, keys=inventory.own))
    interfaces = [each.index for each in inventory.interfaces]
    return Plan(
        inventory=inventory,
        scalars=tuple(name for name in inventory.scalars if name not in CONSTANT) or (oid.SYS_UP_TIME,),
        blocks=tuple(blocks),
        names=tuple(f"{metric}{{{index}}}" for metric in INTERFACE_METRICS for index in interfaces),
    )


def _interface_blocks(inventory: Inventory) -> list[Block]:
    rows = tuple(each.index for each in inventory.interfaces)
    if not rows:
        return []
    wide = tuple(each.index for each in inventory.interfaces if each.counter_bits == 64)  # noqa: PLR2004 - the width
    narrow = tuple(each.index for each in inventory.interfaces if each.counter_bits == 32)  # noqa: PLR2004 - the width
    high = tuple(each.index for each in inventory.interfaces if each.has_high_speed)
    low = tuple(each.index for each in inventory.interfaces if not each.has_high_speed)
    return [
        block
        for block in (
            # Octets first: their time of arrival is the time of the rate.
            _block(oid.IF_HC_IN_OCTETS, wide, whole=True),
            _block(oid.IF_IN_OCTETS, narrow, whole=not wide),
            _block(oid.IF_HC_OUT_OCTETS, wide, whole=True),
            _block(oid.IF_OUT_OCTETS, narrow, whole=not wide),
            _block(oid.IF_ADMIN_STATUS, rows, whole=True),
            _block(oid.IF_OPER_STATUS, rows, whole=True),
            *(_block(column, rows, whole=True) for _, column in COUNTERS),
            _block(oid.IF_HIGH_SPEED, high, whole=not low),
            _block(oid.IF_SPEED, low, whole=not high),
        )
        if block.keys
    ]


def _host_blocks(inventory: Inventory) -> list[Block]:
    storages = tuple(each.index for each in inventory.storages)
    return [
        block
        for block in (
            _block(oid.HR_STORAGE_SIZE, storages, whole=True),
            _block(oid.HR_STORAGE_USED, storages, whole=True),
            _block(oid.HR_PROCESSOR_LOAD, inventory.processors, whole=True),
        )
        if block.keys
    ]


def _block(column: str, indexes: tuple[str, ...], *, whole: bool) -> Block:
    return Block(column, indexes, whole, tuple(f"{column}.{index}" for index in indexes))


INTERFACE_METRICS = (
    "interface.in_octets",
    "interface.out_octets",
    "interface.in_bps",
    "interface.out_bps",
    *(metric for metric, _ in COUNTERS),
    "interface.speed_bps",
    "interface.admin_up",
    "interface.oper_up",
    "interface.down",
)


def missing(plan: Plan, answers: Answers) -> int:
    """How many objects were asked for and not answered; the SNMP library drops them without a word."""
    lost = sum(name not in answers for name in plan.scalars)
    return lost + sum(key not in answers for block in plan.blocks for key in block.keys)


def uptime_s(answers: Answers) -> float:
    """How long the device has been up. Source: RFC 3418 sysUpTime, RFC 2790 hrSystemUptime, RFC 3411 snmpEngineTime.

    On a server sysUpTime is the agent's age and hrSystemUptime the machine's. Both
    count hundredths of seconds and start again at 0 after 497 days, which must not
    look like a restart; snmpEngineTime counts seconds and tells how often they did.
    """
    ticks = number(answers.get(oid.HR_SYSTEM_UPTIME))
    engine_s = number(answers.get(oid.SNMP_ENGINE_TIME))
    if isnan(ticks):
        ticks = number(answers.get(oid.SYS_UP_TIME))
    if isnan(ticks) or not 0 <= engine_s < _ENGINE_TIME_TRUSTED_S:
        return ticks / _TICKS_PER_S
    rounds = max(round((engine_s * _TICKS_PER_S - ticks) / _TICKS), 0)
    return (ticks + rounds * _TICKS) / _TICKS_PER_S


def octets(plan: Plan, answers: Answers, *, received_s: float, sent_s: float) -> Octets:
    """The octet counters among the answers. Raises nothing: what is no counter is None."""
    received, sent = [], []
    for each in plan.inventory.interfaces:
        wide = each.counter_bits == 64  # noqa: PLR2004 - the width
        received.append(_counter(answers, oid.IF_HC_IN_OCTETS if wide else oid.IF_IN_OCTETS, each.index))
        sent.append(_counter(answers, oid.IF_HC_OUT_OCTETS if wide else oid.IF_OUT_OCTETS, each.index))
    return Octets(tuple(received), tuple(sent), received_s, sent_s)


def _counter(answers: Answers, column: str, index: str) -> int | None:
    value = answers.get(f"{column}.{index}")
    return value if isinstance(value, int) and 0 <= value < 1 << 64 else None


def measure(plan: Plan, answers: Answers, now: Octets, before: Octets | None, columns: Columns) -> None:
    """Adds to `columns` what the answers say.

    before  of the previous poll with the same plan; None at the first poll and after
            a restart of the device: then the rates are NaN
    """
    columns.add("device.uptime_s", uptime_s(answers))
    _measure_host(plan.inventory, answers, columns)
    _measure_ups(plan.inventory, answers, columns)
    columns.extend(plan.names, _interface_values(plan.inventory, answers, now, before))


def _interface_values(
    inventory: Inventory, answers: Answers, now: Octets, before: Octets | None
) -> list[float]:
    """The values for Plan.names: metric by metric, interface by interface."""
    rows = inventory.interfaces
    speeds = [_speed_bps(answers, each.index, high=each.has_high_speed) for each in rows]
    admin = [number(answers.get(f"{oid.IF_ADMIN_STATUS}.{each.index}")) for each in rows]
    oper = [number(answers.get(f"{oid.IF_OPER_STATUS}.{each.index}")) for each in rows]
    bits = [each.counter_bits for each in rows]
    values = [nan if each is None else float(each) for each in now.received]
    values += [nan if each is None else float(each) for each in now.sent]
    if before is None:
        values += [nan] * (2 * len(rows))
    else:
        elapsed_s = now.received_s - before.received_s
        values += _rates(now.received, before.received, bits, speeds, elapsed_s=elapsed_s)
        elapsed_s = now.sent_s - before.sent_s
        values += _rates(now.sent, before.sent, bits, speeds, elapsed_s=elapsed_s)
    for _, column in COUNTERS:
        values += [number(answers.get(f"{column}.{each.index}")) for each in rows]
    values += speeds
    values += [nan if isnan(each) else float(each == _UP) for each in admin]
    values += [nan if isnan(each) or each == _UNKNOWN else float(each == _UP) for each in oper]
    values += [
        nan if isnan(wanted) or isnan(found) else float(wanted == _UP and found in _DOWN)
        for wanted, found in zip(admin, oper, strict=True)
    ]
    return values


def _rates(
    now: Sequence[int | None],
    before: Sequence[int | None],
    bits: Sequence[int],
    speeds: Sequence[float],
    *,
    elapsed_s: float,
) -> list[float]:
    return [
        nan
        if new is None or old is None
        else octets_to_bps(new, old, elapsed_s=elapsed_s, bits=width, speed_bps=speed)
        for new, old, width, speed in zip(now, before, bits, speeds, strict=True)
    ]


def _speed_bps(answers: Answers, index: str, *, high: bool) -> float:
    if high:
        return number(answers.get(f"{oid.IF_HIGH_SPEED}.{index}")) * 1e6
    return number(answers.get(f"{oid.IF_SPEED}.{index}"))


def _measure_host(inventory: Inventory, answers: Answers, columns: Columns) -> None:
    loads = [number(answers.get(f"{oid.HR_PROCESSOR_LOAD}.{index}")) for index in inventory.processors]
    known = [load for load in loads if isfinite(load)]
    profile = own_profile(inventory)
    own = {key: answers[key] for key in inventory.own if key in answers}
    if loads:
        columns.add("host.cpu_share", sum(known) / len(known) / 100 if known else nan)
    elif profile:
        columns.add("host.cpu_share", profile.cpu_share(own))
    if oid.UCD_LOAD_1M in inventory.scalars:
        columns.add("host.load_1m", number(answers.get(oid.UCD_LOAD_1M)))
    if oid.UCD_MEM_TOTAL in inventory.scalars:
        columns.add("host.memory_share", _ucd_memory_share(answers))
    elif any(each.kind == "ram" for each in inventory.storages):
        columns.add("host.memory_share", _hr_memory_share(inventory, answers))
    elif profile:
        columns.add("host.memory_share", profile.memory_share(own))
    for each in inventory.storages:
        if each.kind not in MEASURED_STORAGE:
            continue
        size, used = _storage(answers, each.index)
        columns.add("storage.used_share", used / size if size > 0 else nan, each.index)
        columns.add("storage.size_bytes", size * each.unit_bytes, each.index)


def own_profile(inventory: Inventory) -> Profile | None:
    """The vendor's profile, if the device answered any of it."""
    return profile_of(inventory.system.get("sys_object_id", "")) if inventory.own else None


def _storage(answers: Answers, index: str) -> tuple[float, float]:
    """Size and used part in units."""
    return (
        unsigned(answers.get(f"{oid.HR_STORAGE_SIZE}.{index}")),
        unsigned(answers.get(f"{oid.HR_STORAGE_USED}.{index}")),
    )


def _ucd_memory_share(answers: Answers) -> float:
    """Share of memory that programs hold. The kernel gives buffers and cache back when asked, so they are not used."""
    total = number(answers.get(oid.UCD_MEM_TOTAL))
    available = number(answers.get(oid.UCD_MEM_AVAILABLE))
    if isnan(available):
        available = number(answers.get(oid.UCD_MEM_FREE)) + sum(
            integer(answers.get(each)) for each in (oid.UCD_MEM_BUFFER, oid.UCD_MEM_CACHED)
        )
    return max(1 - available / total, 0.0) if total > 0 else nan


def _hr_memory_share(inventory: Inventory, answers: Answers) -> float:
    """From hrStorageRam. Linux agents list buffers and cache as rows of their own; they are not used memory."""
    size = used = 0.0
    for each in inventory.storages:
        row_size, row_used = _storage(answers, each.index)
        if each.kind == "ram":
            size += row_size * each.unit_bytes
            used += row_used * each.unit_bytes
        elif each.name.lower() in {"memory buffers", "cached memory"}:
            used -= row_used * each.unit_bytes
    return max(used / size, 0.0) if size > 0 else nan


def _measure_ups(inventory: Inventory, answers: Answers, columns: Columns) -> None:
    """RFC 1628. A UPS runs on battery if it says so, or if it has been counting seconds on battery."""
    asked = set(inventory.scalars)
    said, counted = (
        number(answers.get(oid.UPS_OUTPUT_SOURCE)),
        number(answers.get(oid.UPS_SECONDS_ON_BATTERY)),
    )
    on_battery = said == oid.UPS_ON_BATTERY or counted > 0
    charge = number(answers.get(oid.UPS_ESTIMATED_CHARGE_REMAINING))
    left = number(answers.get(oid.UPS_ESTIMATED_MINUTES_REMAINING))
    if asked & {oid.UPS_OUTPUT_SOURCE, oid.UPS_SECONDS_ON_BATTERY}:
        unknown = isnan(said) and isnan(counted)
        columns.add("ups.on_battery", nan if unknown else float(on_battery))
    if oid.UPS_ESTIMATED_MINUTES_REMAINING in asked:
        # Many cards say 0 minutes as long as there is mains; a charged battery is not about to end.
        columns.add("ups.minutes_left", nan if left == 0 and not on_battery and charge > 0 else left)
    if oid.UPS_ESTIMATED_CHARGE_REMAINING in asked:
        columns.add("ups.charge_percent", charge)
