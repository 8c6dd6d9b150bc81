"""Which devices are broken how: one empty file each in `demo/faults` of the data directory.

A file that is there or not needs no lock, survives a restart, and can be made with `touch`.
"""

import json
from pathlib import Path

from wardkeeper.cli.demo.devices.fleet import Simulated
from wardkeeper.runtime import datadir


def folder(data_dir: Path) -> Path:
    """Made if it is missing."""
    made = data_dir / "demo" / "faults"
    made.mkdir(mode=0o700, parents=True, exist_ok=True)
    return made


class Faults:
    """Looks into the folder; `since` tells how long a fault has lasted, in seconds of the file's time."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._since: dict[str, float] = {}

    def look(self) -> None:
        """Reads the folder anew."""
        found = {}
        for path in self._place.iterdir():
            try:
                found[path.name] = path.stat().st_mtime
            except FileNotFoundError:  # mended meanwhile
                continue
        self._since = found

    def since(self, device: Simulated, fault: str) -> float | None:
        """Unix time at which it began; None: it is well."""
        return self._since.get(f"{device.key}.{fault}")

    def has(self, device: Simulated, fault: str) -> bool:
        return self.since(device, fault) is not None


def announce(data_dir: Path, fleet: tuple[Simulated, ...]) -> Path:
    """Writes down what the control page shows, and returns where. It is taken away when the devices end."""
    path = data_dir / "demo" / "devices.json"
    known = [
        {
            "key": device.key,
            "code": device.code,
            "name_zh": device.name_zh,
            "name_en": device.name_en,
            "type": device.type_code,
            "address": device.url or device.address,
            "faults": list(device.faults),
        }
        for device in fleet
    ]
    datadir.write(path, json.dumps(known, ensure_ascii=False))
    return path
