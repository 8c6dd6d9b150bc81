"""net-snmp's own senders, from the wire to the team."""

import subprocess

import pytest

from tests.e2e.stories.house import LINK_DOWN, TRAP_USER, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

COLUMN = "1.3.6.1.2.1.2.2.1"


def send(house, tmp_path, program, *security, address, port):
    """A linkDown of interface `port` from `address`; the sender's exit status."""
    about = [f"{COLUMN}.1.{port}", "i", str(port), f"{COLUMN}.2.{port}", "s", f"GE0/{port}"]
    if "-v1" in security:
        trap = ["1.3.6.1.4.1.8072.3.2.10", address, "2", "0", "77", *about]
    else:
        trap = ["77", LINK_DOWN, *about]
    command = [
        program,
        *security,
        f"--clientaddr={address}",
        f"127.0.0.1:{house.trap_port}",
        *trap,
    ]
    env = {**house.env, "SNMP_PERSISTENT_DIR": str(tmp_path), "MIBS": ""}
    return subprocess.run(command, env=env, capture_output=True, timeout=30, check=False).returncode


@pytest.mark.peer("snmptrap", "snmpinform")
def test_a_link_down_said_in_every_version_is_one_incident_each_however_often_it_is_said(house, tmp_path):
    address = "127.0.9.3"
    ci = house.device("SW-TRAPS", address)
    ways = {
        11: ("snmptrap", "-v1", "-c", "public"),
        12: ("snmptrap", "-v2c", "-c", "public"),
        13: ("snmptrap", *TRAP_USER, "-e", "0x80001f8880aabbccdd"),
        14: ("snmpinform", "-v2c", "-c", "public"),
        15: ("snmpinform", *TRAP_USER),
    }
    for port, way in ways.items():
        for _ in range(3):
            assert send(house, tmp_path, *way, address=address, port=port) == 0

    def counted():
        found = house.all("alarms", ci=ci, state="all")
        return found if [alarm["count"] for alarm in found] == [3] * len(ways) else None

    alarms = until(counted, what="five alarms, each said three times")
    assert {alarm["parameters"]["instance"] for alarm in alarms} == set(map(str, ways))
    assert {alarm["condition"] for alarm in alarms} == {"interface.down"}
    assert {alarm["severity"] for alarm in alarms} == {"major"}

    def dispatched():
        found = house.all("incidents", ci=ci)
        return found if len(found) == len(ways) and all(each["team"] for each in found) else None

    incidents = until(dispatched, what="five incidents, each with a team")
    assert {each["team"]["id"] for each in incidents} == {house.people["h1"]["network"]}
    assert {each["state"] for each in incidents} == {"assigned"}
    assert len({each["why"] for each in incidents}) == 1
    assert all(each["priority"] in ("P2", "P3", "P4") and each["why"].startswith("I") for each in incidents)
    assert {alarm["incident"]["id"] for alarm in house.all("alarms", ci=ci, state="all")} == {
        each["id"] for each in incidents
    }
