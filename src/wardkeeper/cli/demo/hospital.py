"""Hospital M itself: campuses, departments, wards, the 60 systems with what they need, and its terminals."""

from dataclasses import dataclass
from random import Random

from django.utils import timezone

from wardkeeper.cli.demo.bulk import as_text, copy_text, reserve_ids
from wardkeeper.cli.demo.sheets import rows
from wardkeeper.registry.cmdb import services as cmdb
from wardkeeper.registry.cmdb.models import CI, CIType, Consumer, Relation
from wardkeeper.registry.people.models import Team
from wardkeeper.registry.places import services as places
from wardkeeper.registry.places.models import Place
from wardkeeper.registry.places.queries import first_hospital
from wardkeeper.registry.search import terms_of

NAME_ZH, NAME_EN = "示范医院 M", "Hospital M (demo)"
CAMPUSES = (
    ("MAIN", "本部", "Main campus"),
    ("EAST", "东区", "East campus"),
    ("WEST", "西海岸", "West coast campus"),
)
TERMINALS = (
    ("pc", "PC", "电脑", "PC", 4100),
    ("printer", "PRN", "打印机", "Printer", 2800),
    ("pda", "PDA", "移动护理终端", "Nursing PDA", 1200),
    ("queue_screen", "SCR", "叫号屏", "Queue display", 700),
    ("kiosk", "KSK", "自助机", "Kiosk", 150),
)
"""type, prefix of the code, names, how many: the reference sizes of hospital M (DOMAIN 2.1)"""
_ORACLE = ("HIS-OP", "HIS-IP", "EMR", "NIS", "CDR", "BI", "HRP", "MRMS", "DRG", "PASS", "CP", "CDSS")
_MSSQL = ("LIS", "PACS", "RIS", "US-IS", "EIS", "PIS", "ECG-IS", "AIMS", "ICU-IS", "ED-IS", "BIS", "PIVAS-S")
_NEEDS = (
    ("DB-ORA", "SAN"), ("DB-SQL", "SAN"), ("VIRT", "SAN"), ("SAN", "UPS"), ("NET-CORE", "UPS"), ("UPS", "ENV"),
    ("VIRT", "NET-CORE"), ("ESB", "VIRT"), ("AD", "VIRT"), ("CA", "VIRT"), ("INS", "NET-EXT"), ("PAY", "FW"),
    ("NETH", "FW"), ("RPT", "NET-EXT"), ("NET-WLAN", "NET-CORE"), ("NET-EXT", "FW"), ("FW", "NET-CORE"),
    ("HIS-OP", "INS"), ("HIS-OP", "PAY"), ("SST", "PAY"), ("NIS", "NET-WLAN"), ("EMR", "CA"), ("CV-S", "LIS"),
    ("QMS", "HIS-OP"), ("SST", "HIS-OP"), ("RIS", "PACS"), ("SAN", "CRAC"), ("BKP", "SAN"), ("SEC-SOC", "NET-CORE"),
)  # fmt: skip
"""source, target: source depends on target"""
_ON_BUS = (
    "HIS-OP",
    "HIS-IP",
    "EMR",
    "LIS",
    "RIS",
    "PACS",
    "AIMS",
    "ICU-IS",
    "ED-IS",
    "BIS",
    "CV-S",
    "PIVAS-S",
)
_EVERYWHERE = (
    "HIS-IP",
    "EMR",
    "AD",
    "OA",
    "NET-CORE",
    "LIS",
    "PACS",
    "ESB",
    "DB-ORA",
    "DB-SQL",
    "VIRT",
    "SAN",
)
_OF_KIND = {
    "HIS-OP": ("A3", "A0"), "QMS": ("A3",), "SST": ("A3",), "INS": ("A3",), "PAY": ("A3",), "NIS": ("A2",),
    "NET-WLAN": ("A2", "A0"), "US-IS": ("A1",), "RIS": ("A1", "A0"), "CV-S": ("A0", "A2"), "PASS": ("A2", "A3"),
    "HRP": ("A4",), "BI": ("A4",), "DRG": ("A4",), "ECG-IS": ("A0", "A1", "A2"), "CA": ("A0", "A2", "A3"),
}  # fmt: skip
_OF_UNIT = {
    "AIMS": ("OR", "ANES", "CATH"), "ICU-IS": ("ICU", "EICU", "CCU", "NICU", "PICU", "RICU", "SICU"),
    "ED-IS": ("ED", "EDR", "EICU"), "BIS": ("BLOOD", "OR", "ICU"), "PIVAS-S": ("PIVAS",), "HD-S": ("HD",),
    "EIS": ("ENDO",), "PIS": ("PATH",), "RT-S": ("RT",), "NM-S": ("NM",), "OBS-S": ("LDR",), "HEC-S": ("HEC",),
    "CSSD-S": ("CSSD",), "MRMS": ("MRR",), "IPC-S": ("IPC",), "MEDEQ": ("EQP",), "LOGS": ("LOG",), "EDU": ("EDU",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hospital:
    """units: places by code; systems: CIs by code; terminals: CIs by place id and type code."""

    root: Place
    units: dict[str, Place]
    systems: dict[str, CI]
    terminals: dict[tuple[int, str], list[CI]]


def build_places() -> tuple[Place, dict[str, Place]]:
    """The first hospital under its demo name, with campuses, departments and wards; units by code."""
    root = first_hospital()
    if root is None:
        raise RuntimeError("setup makes the first hospital")
    root = places.change_place(root.pk, name_zh=NAME_ZH, name_en=NAME_EN)
    campuses = {
        code: places.create_place(
            kind="campus", code=code, name_zh=name_zh, name_en=name_en, parent=root, is_demo=True
        )
        for code, name_zh, name_en in CAMPUSES
    }
    units = {"IC": Place.objects.get(hospital=root, code="IC")}
    for number, row in enumerate(rows("departments")):
        if row["code"] not in units:
            units[row["code"]] = places.create_place(
                kind=row["kind"],
                code=row["code"],
                name_zh=row["name_zh"],
                name_en=row["name_en"],
                parent=campuses[row["campus"]],
                area_class=row["area_class"],
                phone=str(6100 + number),
                is_demo=True,
            )
    return root, units


def build_systems(units: dict[str, Place], teams: dict[str, Team]) -> dict[str, CI]:
    """The systems with their tiers, what each needs, and which departments use it."""
    found = {
        row["code"]: cmdb.create_ci(
            type_code=row["type"],
            code=row["code"],
            name=row["name_zh"],
            name_en=row["name_en"],
            place=units["IC"],
            tier=row["tier"],
            owner_team=teams[_owner(row)],
            attributes={
                "rto_min": int(row["rto_min"]),
                "rpo_min": int(row["rpo_min"]),
                "critical_window": row["critical_window"],
                "downtime_fallback": row["downtime_fallback"],
            },
            is_demo=True,
        )
        for row in rows("systems")
    }
    needs = {*_NEEDS}
    needs |= {(code, "DB-ORA") for code in _ORACLE} | {(code, "DB-SQL") for code in _MSSQL}
    needs |= {(code, "ESB") for code in _ON_BUS}
    for code, ci in found.items():
        if not ci.type.code.startswith("infra"):
            needs |= {(code, "VIRT"), (code, "AD"), (code, "NET-CORE")}
    Relation.objects.bulk_create(
        Relation(kind="depends_on", source=found[source], target=found[target])
        for source, target in sorted(needs)
    )
    Consumer.objects.bulk_create(
        Consumer(ci=ci, place=unit) for code, ci in found.items() for unit in _users(code, units)
    )
    return found


def _owner(row: dict[str, str]) -> str:
    code = row["code"]
    if code.startswith("NET") or code == "FW":
        return "network"
    if code in ("SEC-SOC", "EPP"):
        return "security"
    return "servers" if row["type"] == "infrastructure" and code != "ESB" else "applications"


def _users(code: str, units: dict[str, Place]) -> list[Place]:
    if code in _EVERYWHERE:
        return list(units.values())
    if code in _OF_UNIT:
        return [units[each] for each in _OF_UNIT[code]]
    return [unit for unit in units.values() if unit.area_class in _OF_KIND.get(code, ())]


def build_terminals(
    rng: Random, root: Place, units: dict[str, Place], teams: dict[str, Team]
) -> dict[tuple[int, str], list[CI]]:
    """PCs, printers, PDAs, screens and kiosks, spread over the units that have such things."""
    types = {each.code: each for each in CIType.objects.all()}
    at = timezone.now()
    everywhere = list(units.values())
    wards = [unit for unit in everywhere if unit.area_class in ("A0", "A2")]
    clinics = [unit for unit in everywhere if unit.area_class in ("A1", "A3")]
    spread = {"pda": wards, "queue_screen": clinics, "kiosk": clinics}
    made: list[CI] = []
    for type_code, prefix, name_zh, name_en, count in TERMINALS:
        among = spread.get(type_code, everywhere)
        for number in range(1, count + 1):
            unit = among[number - 1] if number <= len(among) else rng.choice(among)
            code = f"{prefix}-{number:05}"
            name = f"{unit.name_zh} {name_zh} {number:05}"
            ci = CI(
                hospital=root, type=types[type_code], code=code, name=name[:120],
                name_en=f"{unit.name_en} {name_en} {number:05}"[:120], place=unit, place_path=unit.path,
                owner_team=teams["desktop"], terms=terms_of(code, name), is_demo=True,
            )  # fmt: skip
            made.append(ci)
    for ci, pk in zip(made, reserve_ids(CI, len(made)), strict=True):
        ci.pk, ci.created_at, ci.changed_at = pk, at, at
    copy_text(CI, as_text(CI, made, with_id=True), with_id=True)
    found: dict[tuple[int, str], list[CI]] = {}
    for ci in made:
        found.setdefault((ci.place_id, ci.type.code), []).append(ci)
    return found
