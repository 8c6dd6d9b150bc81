"""From what the operating system counts to series. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import msgspec

from wardkeeper.acquisition.columns import Columns
from wardkeeper.acquisition.contract import Malformed
from wardkeeper.acquisition.rate import octets_to_bps
from wardkeeper.messages import Component


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A network interface. Counters since it came up; `speed_bps` 0 if the driver does not say."""

    index: int
    name: str
    mac: str = ""
    in_octets: int
    out_octets: int
    in_errors: int
    out_errors: int
    in_discards: int
    out_discards: int
    speed_bps: float
    admin_up: bool
    oper_up: bool


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    type: str
    size_bytes: int
    used_bytes: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """This machine at one moment.

    at_s             our monotonic clock
    cpu_busy_s, cpu_all_s   seconds of all processors since boot
    memory_used_bytes   what programs hold, without buffers and cache
    """

    at_s: float
    uptime_s: float
    cpu_busy_s: float
    cpu_all_s: float
    memory_size_bytes: int
    memory_used_bytes: int
    load_1m: float
    mounts: tuple[Mount, ...]
    links: tuple[Link, ...]
    attributes: Mapping[str, str | int]


def snapshot(raw: bytes) -> Snapshot:
    """A recorded Snapshot, JSON. Raises Malformed."""
    try:
        return msgspec.json.decode(raw, type=Snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("snapshot") from error


@dataclass(frozen=True, slots=True)
class Described:
    """What the machine consists of; two equal ones need not be told twice."""

    attributes: Mapping[str, Any]
    components: tuple[Component, ...]


def described(now: Snapshot) -> Described:
    return Described(
        attributes=dict(now.attributes),
        components=(
            *(
                Component(
                    kind="interface",
                    instance=str(each.index),
                    name=each.name,
                    attributes={"mac": each.mac, "speed_bps": each.speed_bps, "counter_bits": 64},
                )
                for each in now.links
            ),
            *(
                Component(
                    kind="storage",
                    instance=each.path,
                    name=each.path,
                    attributes={"type": each.type, "size_bytes": each.size_bytes},
                )
                for each in now.mounts
            ),
        ),
    )


def measure(now: Snapshot, before: Snapshot | None, columns: Columns) -> None:
    """Adds the series. `before` is the previous Snapshot; without it shares and rates over time are NaN."""
    columns.add("device.reachable", 1.0)
    columns.add("device.uptime_s", now.uptime_s)
    columns.add("host.cpu_share", _cpu_share(now, before))
    size = now.memory_size_bytes
    columns.add("host.memory_share", now.memory_used_bytes / size if size > 0 else nan)
    columns.add("host.load_1m", now.load_1m)
    for mount in now.mounts:
        used = mount.used_bytes / mount.size_bytes if mount.size_bytes > 0 else nan
        columns.add("storage.used_share", used, mount.path)
        columns.add("storage.size_bytes", mount.size_bytes, mount.path)
    earlier = {each.index: each for each in before.links} if before else {}
    elapsed_s = now.at_s - before.at_s if before else 0.0
    for link in now.links:
        _measure_link(link, earlier.get(link.index), elapsed_s, columns)


def _cpu_share(now: Snapshot, before: Snapshot | None) -> float:
    elapsed_s = now.cpu_all_s - before.cpu_all_s if before else 0.0
    if before is None or elapsed_s <= 0:
        return nan
    return min(max((now.cpu_busy_s - before.cpu_busy_s) / elapsed_s, 0.0), 1.0)


def _measure_link(now: Link, before: Link | None, elapsed_s: float, columns: Columns) -> None:
    index = str(now.index)
    columns.add("interface.in_octets", now.in_octets, index)
    columns.add("interface.out_octets", now.out_octets, index)
    if before is None:
        in_bps = out_bps = nan
    else:
        speed = now.speed_bps
        in_bps = octets_to_bps(now.in_octets, before.in_octets, elapsed_s=elapsed_s, bits=64, speed_bps=speed)
        out_bps = octets_to_bps(
            now.out_octets, before.out_octets, elapsed_s=elapsed_s, bits=64, speed_bps=speed
        )
    columns.add("interface.in_bps", in_bps, index)
    columns.add("interface.out_bps", out_bps, index)
    columns.add("interface.in_errors", now.in_errors, index)
    columns.add("interface.out_errors", now.out_errors, index)
    columns.add("interface.in_discards", now.in_discards, index)
    columns.add("interface.out_discards", now.out_discards, index)
    columns.add("interface.speed_bps", now.speed_bps, index)
    columns.add("interface.admin_up", float(now.admin_up), index)
    columns.add("interface.oper_up", float(now.oper_up), index)
    columns.add("interface.down", float(now.admin_up and not now.oper_up), index)
