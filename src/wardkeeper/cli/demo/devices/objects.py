"""What the simulated devices show by SNMP at a moment: counters that grow with the load of the hour. Pure."""

import math
import zlib

from wardkeeper.cli.bench._snmp_agent import Encoded, Oid, identifier, integer, oid, string, switch
from wardkeeper.cli.demo.devices import fleet
from wardkeeper.cli.demo.devices.fleet import Simulated
from wardkeeper.cli.demo.sheets import rows

_GAUGE, _TICKS, _COUNTER, _COUNTER64 = 0x42, 0x43, 0x41, 0x46
_PEAK_BPS = 380e6
_IF, _IFX = oid("1.3.6.1.2.1.2.2.1"), oid("1.3.6.1.2.1.31.1.1.1")
_MINUTES_FULL = 42.0
_ON_BATTERY_SOURCE, _NORMAL_SOURCE = 5, 3
"""RFC 1628, upsOutputSource"""
_UNITS = 4096
_DISKS = ((1, "/", 100, 0.41), (2, "/var/lib/data", 500, 0.63), (3, "/backup", 1000, 0.52))
"""index, mount, GB, usually used"""
_FULL_DISK, _FULL_SHARE = 2, 0.97
_DESCRIPTIONS = {
    "switch": "Wardkeeper demo switch, 48x1G",
    "ups": "Wardkeeper demo UPS 60 kVA",
    "host": "Linux demo 6.1 x86_64",
    "printer": "Wardkeeper demo laser printer",
}


def load_share(now: float, *, utc_offset_s: float) -> float:
    """0.05..1: how busy the hospital is, between the hours of the arrival profile."""
    shares = [float(row["share_percent"]) for row in rows("hours")]
    hour = (now + utc_offset_s) / 3600 % 24
    before, part = int(hour), hour % 1
    share = shares[before] * (1 - part) + shares[(before + 1) % 24] * part
    return 0.05 + 0.95 * share / max(shares)


class Picture:
    """One device's objects. `at` gives them for a moment; octets are summed up from one look to the next."""

    def __init__(self, device: Simulated, *, started_at: float, utc_offset_s: float) -> None:
        self._device = device
        self._started_at = self._seen_at = started_at
        self._utc_offset_s = utc_offset_s
        self._salt = zlib.crc32(device.key.encode())
        self._octets = [float(10**9 + (self._salt * each) % 10**9) for each in range(device.ports)]

    def at(self, now: float, *, faults: dict[str, float]) -> dict[Oid, Encoded]:
        """`faults`: since when each one holds, Unix time."""
        device = self._device
        if device.model == "switch":
            found = self._switch(now, is_down=fleet.PORT_DOWN in faults)
        elif device.model == "ups":
            since = faults.get(fleet.ON_BATTERY)
            found = _ups(0.0 if since is None else max(1.0, now - since))
        elif device.model == "host":
            found = self._host(now, is_full=fleet.DISK_FULL in faults)
        else:
            found = {}
        self._seen_at = now
        uptime = integer(int((now - self._started_at + 86_400 * 40) * 100) % (1 << 32), _TICKS)
        return found | {
            oid("1.3.6.1.2.1.1.1.0"): string(_DESCRIPTIONS[device.model].encode()),
            oid("1.3.6.1.2.1.1.2.0"): identifier(oid("1.3.6.1.4.1.8072.3.2.255")),
            oid("1.3.6.1.2.1.1.3.0"): uptime,
            oid("1.3.6.1.2.1.1.4.0"): string("信息中心".encode()),
            oid("1.3.6.1.2.1.1.5.0"): string(device.code.encode()),
            oid("1.3.6.1.2.1.1.6.0"): string(device.unit.encode()),
        }

    def _switch(self, now: float, *, is_down: bool) -> dict[Oid, Encoded]:
        device = self._device
        busy = load_share(now, utc_offset_s=self._utc_offset_s)
        found = switch(device.ports)
        for port in range(1, device.ports + 1):
            wave = 0.55 + 0.45 * math.sin(now / 97 + self._salt % 11 + port * 1.7)
            weight = 1.0 if port % 8 == 0 else 0.12
            is_gone = is_down and port == fleet.BROKEN_PORT
            if not is_gone:
                self._octets[port - 1] += _PEAK_BPS / 8 * busy * wave * weight * max(0.0, now - self._seen_at)
            taken = int(self._octets[port - 1])
            sent = int(self._octets[port - 1] * 0.62)
            found[(*_IF, 8, port)] = integer(2 if is_gone else 1)
            found[(*_IF, 10, port)] = integer(taken % (1 << 32), _COUNTER)
            found[(*_IF, 16, port)] = integer(sent % (1 << 32), _COUNTER)
            found[(*_IFX, 6, port)] = integer(taken, _COUNTER64)
            found[(*_IFX, 10, port)] = integer(sent, _COUNTER64)
        return found

    def _host(self, now: float, *, is_full: bool) -> dict[Oid, Encoded]:
        busy = load_share(now, utc_offset_s=self._utc_offset_s)
        table, found = oid("1.3.6.1.2.1.25.2.3.1"), dict[Oid, Encoded]()
        memory = 0.48 + 0.2 * busy
        kinds = [(10, 2, "Physical memory", 64, memory)]
        kinds += [
            (index, 4, mount, size, _FULL_SHARE if is_full and index == _FULL_DISK else share)
            for index, mount, size, share in _DISKS
        ]
        for index, kind, name, size_gb, share in kinds:
            blocks = size_gb * (1 << 30) // _UNITS
            found[(*table, 1, index)] = integer(index)
            found[(*table, 2, index)] = identifier((*oid("1.3.6.1.2.1.25.2.1"), kind))
            found[(*table, 3, index)] = string(name.encode())
            found[(*table, 4, index)] = integer(_UNITS)
            found[(*table, 5, index)] = integer(blocks)
            found[(*table, 6, index)] = integer(int(blocks * share))
        for core in range(1, 5):
            percent = 12 + 55 * busy * (0.7 + 0.3 * math.sin(now / 53 + core + self._salt % 7))
            found[(*oid("1.3.6.1.2.1.25.3.3.1.2"), core)] = integer(int(percent))
        return found


def _ups(on_battery_s: float) -> dict[Oid, Encoded]:
    """On battery the minutes fall sixfold, so that a demo need not wait for three quarters of an hour."""
    is_on_battery = on_battery_s > 0
    left = max(1.0, _MINUTES_FULL - on_battery_s / 10) if is_on_battery else _MINUTES_FULL
    group = "1.3.6.1.2.1.33.1"
    return {
        oid(f"{group}.1.1.0"): string(b"Wardkeeper"),
        oid(f"{group}.1.2.0"): string(b"Demo 60 kVA"),
        oid(f"{group}.2.1.0"): integer(2 if left > 5 else 3),  # noqa: PLR2004 - batteryNormal, batteryLow
        oid(f"{group}.2.2.0"): integer(int(on_battery_s)),
        oid(f"{group}.2.3.0"): integer(int(left)),
        oid(f"{group}.2.4.0"): integer(int(100 * left / _MINUTES_FULL)),
        oid(f"{group}.4.1.0"): integer(_ON_BATTERY_SOURCE if is_on_battery else _NORMAL_SOURCE),
    }
