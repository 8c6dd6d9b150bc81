"""The import contracts of pyproject.toml catch what they are for, on a stub of the house.

The stub has the modules that the contracts name and nothing in them; each case adds one import.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = [
    "cli.main",
    "cli.bench.records",
    "presentation.web.pages",
    "presentation.portal.pages",
    "presentation.api.pages",
    "processing.incident.handlers",
    "processing.incident.services",
    "processing.incident.queries",
    "processing.incident.workflow",
    "processing.incident.models",
    "processing.sla.services",
    "processing.desk.services",
    "processing.dispatch.services",
    "aggregation.alarm.services",
    "aggregation.alarm.models",
    "aggregation.event.services",
    "aggregation.metric.store",
    "aggregation.discovery.services",
    "acquisition.contract",
    "acquisition.adapters.syslog.adapter",
    "acquisition.adapters.snmp_trap.adapter",
    "acquisition.adapters.snmp_poll.adapter",
    "acquisition.adapters.icmp.adapter",
    "acquisition.adapters.http.adapter",
    "acquisition.adapters.tcp.adapter",
    "acquisition.adapters.host.adapter",
    "ledger.models",
    "ledger.services",
    "registry.cmdb.models",
    "registry.cmdb.services",
    "registry.people.models",
    "registry.places.models",
    "registry.calendars.models",
    "bus.nats",
    "bus.outbox",
    "bus.worker",
    "runtime.supervisor",
    "messages.alarm",
    "settings.load",
]
PLANTED = [
    # contract, module, its import
    ("floors", "registry.cmdb.services", "import wardkeeper.ledger.services"),
    ("floors", "ledger.services", "import wardkeeper.processing.incident.services"),
    ("floors", "aggregation.alarm.services", "import wardkeeper.processing.incident.services"),
    ("floors", "processing.incident.services", "import wardkeeper.presentation.web.pages"),
    ("floors", "messages.alarm", "import wardkeeper.settings.load"),
    ("floors", "settings.load", "import wardkeeper.messages.alarm"),
    ("floors", "bus.worker", "import wardkeeper.registry.people.models"),
    ("floors", "runtime.supervisor", "import wardkeeper.bus.worker"),
    ("floors", "workshop.tools", ""),
    ("practices", "processing.sla.services", "import wardkeeper.processing.incident.services"),
    ("adapters", "acquisition.adapters.tcp.adapter", "import wardkeeper.acquisition.adapters.http.adapter"),
    ("faces", "presentation.api.pages", "import wardkeeper.presentation.web.pages"),
    ("bare-collectors", "acquisition.contract", "import django.db"),
    ("bare-collectors", "settings.load", "import django.conf"),
    ("bare-collectors", "acquisition.contract", "import wardkeeper.bus.outbox"),
    ("plain-words", "messages.alarm", "import pydantic"),
    ("rooms", "processing.incident.models", "import wardkeeper.processing.incident.services"),
    ("rooms", "processing.incident.queries", "import wardkeeper.processing.incident.services"),
    ("rooms", "aggregation.alarm.models", "import wardkeeper.aggregation.alarm.services"),
    ("registry", "registry.places.models", "import wardkeeper.registry.cmdb.models"),
    ("screens", "presentation.web.pages", "import wardkeeper.ledger.models"),
    ("screens", "presentation.api.pages", "import wardkeeper.registry.people.models"),
    ("one-door", "ledger.services", "import nats"),
    ("one-door", "acquisition.contract", "import nats"),
    ("door-gufo", "acquisition.contract", "import gufo.snmp"),
    ("door-pysnmp", "acquisition.adapters.snmp_poll.adapter", "import pysnmp.hlapi"),
    ("door-httpx", "presentation.web.pages", "import httpx"),
    ("door-pcodec", "aggregation.alarm.services", "import pcodec"),
]


@pytest.fixture
def house(tmp_path):
    for module in MODULES:
        _write(tmp_path, module, "")
    # import-linter wants the outside names of its contracts to be imported somewhere: through their own doors.
    _write(tmp_path, "bus.nats", "import nats\n")
    _write(tmp_path, "acquisition.adapters.snmp_poll.adapter", "import gufo.snmp\n")
    _write(tmp_path, "acquisition.adapters.snmp_trap.adapter", "import pysnmp, pyasn1\n")
    _write(tmp_path, "acquisition.adapters.http.adapter", "import httpx\n")
    _write(tmp_path, "aggregation.metric.store", "import pcodec\n")
    (tmp_path / "pyproject.toml").write_text(
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    return tmp_path


def _write(root: Path, module: str, text: str) -> None:
    path = root / "wardkeeper" / (module.replace(".", "/") + ".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent
    while folder != root:
        (folder / "__init__.py").touch()
        folder = folder.parent
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _broken(root: Path) -> tuple[int, str]:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def _name_of(contract: str) -> str:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return next(
        str(one["name"]) for one in document["tool"]["importlinter"]["contracts"] if one["id"] == contract
    )


def test_house_without_a_violation_passes(house):
    code, said = _broken(house)
    assert code == 0, said


@pytest.mark.parametrize(("contract", "module", "line"), PLANTED)
def test_planted_import_breaks_its_contract(house, contract, module, line):
    _write(house, module, line + "\n")
    code, said = _broken(house)
    assert code == 1, said
    assert f"{_name_of(contract)} BROKEN" in " ".join(said.split()), said


def test_every_contract_has_a_planted_violation():
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {one["id"] for one in document["tool"]["importlinter"]["contracts"]}
    assert contracts == {contract for contract, _module, _line in PLANTED}
