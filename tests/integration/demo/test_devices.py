"""The simulated devices by real peers: net-snmp, httpx and TLS; each break shows on the wire."""

import os
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509

from wardkeeper.cli.demo.devices import fleet
from wardkeeper.cli.demo.devices.fleet import FLEET

BY_KEY = {device.key: device for device in FLEET}
IF_OPER, IF_IN = "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.6"
UPS_MINUTES, UPS_SOURCE = "1.3.6.1.2.1.33.1.2.3.0", "1.3.6.1.2.1.33.1.4.1.0"
DISK_USED = "1.3.6.1.2.1.25.2.3.1.6"


def wait_for(condition, within_s=15.0):
    until = time.monotonic() + within_s
    while True:
        found = condition()
        if found or time.monotonic() > until:
            return found
        time.sleep(0.05)


def snmp(program, key, oid):
    """Values that the program prints; None if the device does not answer."""
    command = [program, "-v2c", "-c", "public", "-Oqv", "-On", "-r0", "-t1"]
    address = f"{BY_KEY[key].address}:{fleet.SNMP_PORT}"
    env = os.environ | {"MIBS": ""}
    done = subprocess.run(
        [*command, address, oid], capture_output=True, text=True, env=env, timeout=20, check=False
    )
    return done.stdout.split() if done.returncode == 0 else None


@pytest.mark.peer("snmpwalk", "snmpget", "snmpbulkwalk")
@pytest.mark.parametrize("program", ["snmpwalk", "snmpbulkwalk"])
def test_the_core_switch_shows_48_ports_and_all_are_up(devices, program):
    assert snmp(program, "core", IF_OPER) == ["1"] * 48


@pytest.mark.peer("snmpget")
def test_octets_grow_with_time(devices):
    before = int(snmp("snmpget", "core", f"{IF_IN}.8")[0])
    assert wait_for(lambda: int(snmp("snmpget", "core", f"{IF_IN}.8")[0]) > before)


@pytest.mark.peer("snmpget")
def test_a_port_goes_down_and_comes_back(devices, broken):
    broken("core", "port_down")
    port = f"{IF_OPER}.{fleet.BROKEN_PORT}"
    assert wait_for(lambda: snmp("snmpget", "core", port) == ["2"])
    (devices / "demo" / "faults" / "core.port_down").unlink()
    assert wait_for(lambda: snmp("snmpget", "core", port) == ["1"])


@pytest.mark.peer("snmpget")
def test_a_silent_device_does_not_answer_and_its_neighbour_does(devices, broken):
    broken("access-ed", "silent")
    assert wait_for(lambda: snmp("snmpget", "access-ed", f"{IF_OPER}.1") is None)
    assert snmp("snmpget", "access-opd", f"{IF_OPER}.1") == ["1"]


@pytest.mark.peer("snmpget")
def test_on_battery_the_minutes_of_the_ups_fall(devices, broken):
    assert snmp("snmpget", "ups", UPS_SOURCE) == ["3"]
    broken("ups", "on_battery")
    assert wait_for(lambda: snmp("snmpget", "ups", UPS_SOURCE) == ["5"])
    os.utime(devices / "demo" / "faults" / "ups.on_battery", (time.time() - 120,) * 2)
    assert wait_for(lambda: int(snmp("snmpget", "ups", UPS_MINUTES)[0]) <= 30)


@pytest.mark.peer("snmpwalk")
def test_a_full_disk_shows_in_the_storage_table(devices, broken):
    usual = [int(each) for each in snmp("snmpwalk", "his-db", DISK_USED)]
    broken("his-db", "disk_full")
    assert wait_for(lambda: [int(each) for each in snmp("snmpwalk", "his-db", DISK_USED)][1] > usual[1] * 1.4)


def get(key, **options):
    return httpx.get(BY_KEY[key].url, verify=False, trust_env=False, timeout=10, **options)  # noqa: S501 - self-signed


def test_a_page_answers_fails_and_is_mended(devices, broken):
    assert "运行正常" in get("lis-web").text
    broken("lis-web", "error")
    assert wait_for(lambda: get("lis-web").status_code == 500)


def test_a_slow_page_takes_more_than_three_seconds(devices, broken):
    broken("his-web", "slow")
    assert wait_for(lambda: get("his-web").elapsed > timedelta(seconds=3))


def test_a_silent_page_closes_without_an_answer(devices, broken):
    broken("esb-web", "silent")

    def is_silent():
        try:
            get("esb-web")
        except httpx.RemoteProtocolError:
            return True
        return False

    assert wait_for(is_silent)


def test_the_certificate_ages_and_is_renewed(devices, broken):
    def days_left():
        try:
            pem = ssl.get_server_certificate((BY_KEY["booking"].address, fleet.HTTPS_PORT))
        except OSError:
            return -1  # its listener is being replaced; asked again until the deadline
        return (x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc - datetime.now(UTC)).days

    assert get("booking").status_code == 200
    assert days_left() > 200
    broken("booking", "certificate")
    assert wait_for(lambda: days_left() == 3)
    (devices / "demo" / "faults" / "booking.certificate").unlink()
    assert wait_for(lambda: days_left() > 200)
