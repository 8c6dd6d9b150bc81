"""The files under deploy/ name commands, roles and settings that exist."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from wardkeeper.cli.main import COMMANDS
from wardkeeper.cli.run import ROLES
from wardkeeper.runtime.nats import packaged
from wardkeeper.settings.load import NO_SETTINGS, PREFIX, known

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if one.get("image") == "wardkeeper"}


def _exists(variable: str) -> bool:
    variables = {entry.variable for entry in known().values()}
    return variable.removeprefix(PREFIX) in NO_SETTINGS or variable.removesuffix("_FILE") in variables


@pytest.mark.parametrize("file", sorted(path.name for path in DEPLOY.rglob("*") if path.is_file()))
def test_every_variable_of_ours_is_a_setting(file):
    text = next(DEPLOY.rglob(file)).read_text(encoding="utf-8")
    assert [one for one in re.findall(r"\bWARDKEEPER_[A-Z_]+\b", text) if not _exists(one)] == []


def test_composition_runs_every_role_once():
    commands = [service["command"] for service in OURS.values()]
    # The simulated devices of the demo have no place in production.
    assert sorted(command[1] for command in commands if command[0] == "run") == sorted(set(ROLES) - {"demo"})
    assert {command[0] for command in commands} <= set(COMMANDS)


def test_units_call_commands_that_exist():
    for unit in DEPLOY.glob("systemd/*.service"):
        called = re.findall(
            r"^ExecStart=\S+/wardkeeper (\w+)", unit.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert called
        assert set(called) <= set(COMMANDS)


@pytest.mark.parametrize("file", ["nats.conf", "nats-single.conf"])
def test_configuration_of_the_bus_is_one_that_nats_takes(file):
    run = subprocess.run(
        [packaged(), "-t", "-c", str(DEPLOY / "cluster" / file)],
        env={**os.environ, "NATS_PASSWORD": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
