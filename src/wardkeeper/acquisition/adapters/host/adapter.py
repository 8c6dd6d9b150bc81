"""Watches the machine that the collector runs on."""

import asyncio
import platform
import socket
import time
from dataclasses import dataclass

import psutil

from wardkeeper.acquisition.adapters.host.decode import Described, Link, Mount, Snapshot, described, measure
from wardkeeper.acquisition.budget import budget_s
from wardkeeper.acquisition.columns import Columns, now_ms
from wardkeeper.acquisition.config import configure
from wardkeeper.acquisition.contract import Device, Emit
from wardkeeper.messages import DeviceDescribed

ALWAYS_FULL = frozenset(("squashfs", "iso9660", "udf", "erofs", "cramfs"))
"""File systems that are written once and have no room left by design."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Nothing to set: it is this machine."""


@dataclass(slots=True)
class _Known:
    before: Snapshot | None = None
    described: Described | None = None


_KNOWN: dict[str, _Known] = {}


def forget(target: str) -> None:
    """The target is no longer polled."""
    _KNOWN.pop(target, None)


async def poll(device: Device, emit: Emit) -> None:
    """Emits the machine's samples; what it consists of at the first time and when that changed.

    Emits nothing if the operating system does not answer in time: a dead network
    mount can hold `statvfs` for ever.
    """
    configure(Config, device.config)
    known = _KNOWN.setdefault(device.target, _Known())
    at_ms = now_ms()
    try:
        now = await asyncio.wait_for(asyncio.to_thread(take), budget_s(device))
    except TimeoutError:
        emit.count("trouble.timeout")
        return
    columns = Columns()
    measure(now, known.before, columns)
    columns.emit(device, emit, time_ms=at_ms)
    known.before = now
    found = described(now)
    if found != known.described:
        known.described = found
        emit(
            DeviceDescribed(
                collector=emit.collector,
                target=device.target,
                ci=device.ci,
                attributes=found.attributes,
                components=found.components,
            )
        )


def take() -> Snapshot:
    """This machine now. Blocks for a few milliseconds."""
    memory = psutil.virtual_memory()
    cpu = psutil.cpu_times()
    idle_s = cpu.idle + getattr(cpu, "iowait", 0.0)
    # user and nice already contain guest time
    all_s = sum(cpu) - getattr(cpu, "guest", 0.0) - getattr(cpu, "guest_nice", 0.0)
    return Snapshot(
        at_s=time.monotonic(),
        uptime_s=time.time() - psutil.boot_time(),
        cpu_busy_s=all_s - idle_s,
        cpu_all_s=all_s,
        memory_size_bytes=memory.total,
        memory_used_bytes=memory.total - memory.available,
        load_1m=psutil.getloadavg()[0],
        mounts=_mounts(),
        links=_links(),
        attributes={
            "sys_name": socket.gethostname(),
            "sys_descr": f"{platform.system()} {platform.release()} {platform.machine()}",
            "cpu_count": psutil.cpu_count() or 1,
            "memory_bytes": memory.total,
        },
    )


def _mounts() -> tuple[Mount, ...]:
    found = {
        each.mountpoint: each.fstype for each in psutil.disk_partitions() if each.fstype not in ALWAYS_FULL
    }
    # In a container the root is an overlay, which psutil does not count as a disk.
    found.setdefault("/", "")
    mounts = []
    for path, kind in sorted(found.items()):
        try:
            usage = psutil.disk_usage(path)
        except OSError:
            continue
        if usage.total and path.isprintable():
            mounts.append(Mount(path=path, type=kind, size_bytes=usage.total, used_bytes=usage.used))
    return tuple(mounts)


def _links() -> tuple[Link, ...]:
    states = psutil.net_if_stats()
    addresses = psutil.net_if_addrs()
    links = []
    for name, counters in psutil.net_io_counters(pernic=True).items():
        state = states.get(name)
        try:
            index = socket.if_nametoindex(name)
        except OSError:
            continue
        if state is None:
            continue
        flags = state.flags.split(",")
        macs = [each.address for each in addresses.get(name, ()) if each.family == psutil.AF_LINK]
        links.append(
            Link(
                index=index,
                name=name,
                mac=macs[0] if macs else "",
                in_octets=counters.bytes_recv,
                out_octets=counters.bytes_sent,
                in_errors=counters.errin,
                out_errors=counters.errout,
                in_discards=counters.dropin,
                out_discards=counters.dropout,
                speed_bps=max(state.speed, 0) * 1e6,
                admin_up="up" in flags,
                oper_up="running" in flags,
            )
        )
    return tuple(sorted(links, key=lambda each: each.index))
