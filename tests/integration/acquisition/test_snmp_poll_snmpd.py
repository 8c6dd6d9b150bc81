"""Polling net-snmp's agent, in every version and with every pair of protocols that it and we have."""

import asyncio
import socket

import pytest

from tests.collected import Collected, device
from tests.snmp_peers import USERS, Snmpd, credentials
from wardkeeper.acquisition.adapters.snmp_poll import adapter, probe
from wardkeeper.acquisition.adapters.snmp_poll.probe import Reason

pytestmark = pytest.mark.peer("snmpd")

WAYS = {"v1": {"version": "1"}, "v2c": {"version": "2c"}, **{user: credentials(user) for user in USERS}}


@pytest.fixture
def snmpd(tmp_path):
    agent = Snmpd(tmp_path)
    agent.start()
    yield agent
    agent.stop()
    adapter.forget("t")


def at(agent, **more):
    return {"host": "127.0.0.1", "port": agent.port, "request_timeout_s": 0.5, **more}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_every_version_and_protocol_gives_the_same_series(snmpd, way):
    emit = Collected()
    await adapter.poll(device(at(snmpd, **way)), emit)
    assert emit.last["device.reachable"] == 1
    assert emit.last["snmp.missing"] == 0
    for index, name in socket.if_nameindex():
        assert f"interface.in_octets{{{index}}}" in emit.last
        assert any(each.instance == str(index) and each.name == name for each in emit.described[0].components)
    assert emit.last["interface.oper_up{1}"] == 1
    assert 0 < emit.last["host.memory_share"] < 1
    assert any(name.startswith("storage.used_share{") for name in emit.last)
    assert emit.described[0].attributes["sys_name"] == "ward-switch"
    assert emit.described[0].attributes["sys_location"] == "门诊一楼"


async def test_rate_is_the_traffic_between_two_polls(snmpd):
    emit = Collected()
    clock = asyncio.get_running_loop().time
    deadline_s = clock() + 30
    await adapter.poll(device(at(snmpd)), emit)
    first = earlier = emit.last["interface.in_octets{1}"]
    await asyncio.to_thread(_traffic_over_loopback, 20_000_000)
    # net-snmp shows counters that are up to 15 s old.
    while emit.last["interface.in_octets{1}"] < first + 20_000_000:
        assert clock() < deadline_s
        earlier, polled_s = emit.last["interface.in_octets{1}"], clock()
        await asyncio.sleep(0.5)
        await adapter.poll(device(at(snmpd)), emit)
    octets = emit.last["interface.in_octets{1}"] - earlier
    assert emit.last["interface.in_bps{1}"] == pytest.approx(octets * 8 / (clock() - polled_s), rel=0.3)
    assert len(emit.described) == 1


def _traffic_over_loopback(amount):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as there,
    ):
        here, _ = server.accept()
        with here:
            sent = 0
            while sent < amount:
                there.sendall(b"x" * 50_000)
                received = 0
                while received < 50_000:
                    received += len(here.recv(50_000))
                sent += received
    return sent


@pytest.mark.parametrize("way", ["v2c", "sha-aes"])
async def test_agent_that_stops_is_unreachable_and_nothing_else_until_it_is_back(snmpd, way):
    emit = Collected()
    target = device(at(snmpd, **WAYS[way]))
    await adapter.poll(target, emit)
    snmpd.stop()
    await adapter.poll(target, emit)
    assert emit.last == {"device.reachable": 0.0}
    assert emit.described[-1].attributes["snmp_error"] == "refused"
    assert emit.described[-1].components == emit.described[0].components
    snmpd.start()
    await adapter.poll(target, emit)
    assert emit.last["device.reachable"] == 1
    assert "snmp_error" not in emit.described[-1].attributes


async def test_v3_session_survives_a_restart_of_the_device_between_two_polls(snmpd):
    emit = Collected()
    target = device(at(snmpd, **WAYS["sha-aes"]))
    await adapter.poll(target, emit)
    snmpd.stop()
    snmpd.start()
    await adapter.poll(target, emit)
    assert emit.last["device.reachable"] == 1
    assert len(emit.samples) == 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"community": "not-this"}, "timeout"),
        ({**WAYS["sha-aes"], "auth_password": "not-this-one"}, "authentication"),
        ({**WAYS["sha-aes"], "user": "stranger"}, "authentication"),
        ({**WAYS["sha-aes"], "priv_password": "not-this-one"}, "privacy"),
    ],
    ids=["community", "auth password", "user", "priv password"],
)
async def test_wrong_credentials_are_unreachable_and_v3_says_which(snmpd, wrong, code):
    emit = Collected()
    await adapter.poll(device(at(snmpd, **wrong)), emit)
    assert emit.last == {"device.reachable": 0.0}
    assert emit.described[0].attributes == {"snmp_error": code}
    assert emit.counts[f"trouble.{code}"] == 1


PROBED = {
    "right community": ({}, {"community": "public"}, Reason.OK),
    "wrong community": ({}, {"community": "not-this"}, Reason.COMMUNITY),
    "right v3": (
        {"version": "3", "user": "sha", "auth_protocol": "sha"},
        {"auth_password": "auth-passw0rd"},
        Reason.OK,
    ),
    "wrong v3 password": (
        {"version": "3", "user": "sha", "auth_protocol": "sha"},
        {"auth_password": "auth-passw1rd"},
        Reason.AUTHENTICATION,
    ),
    "level below the user's": ({"version": "3", "user": "sha-aes"}, {}, Reason.AUTHENTICATION),
    "short password": (
        {"version": "3", "user": "sha", "auth_protocol": "sha"},
        {"auth_password": "x"},
        Reason.MISCONFIGURED,
    ),
    "wrong port": ({"port": 1}, {}, Reason.REFUSED),
    "no such name": ({"host": "nowhere.invalid"}, {}, Reason.UNKNOWN_HOST),
}


@pytest.mark.parametrize(("config", "secrets", "reason"), PROBED.values(), ids=PROBED)
async def test_probe_says_in_a_stable_code_what_is_wrong(snmpd, config, secrets, reason):
    result = await probe.test(at(snmpd, **config), secrets)
    assert result.reason is reason
    assert result.ok is (reason is Reason.OK)
    assert result.sysname == ("ward-switch" if result.ok else "")
    assert not any(secret in repr(result) for secret in secrets.values())
