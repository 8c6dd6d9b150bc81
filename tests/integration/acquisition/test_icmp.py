"""Pinging loopback, with and without the right to; an address that is loopback and answers nobody."""

import asyncio
import os
import subprocess
import sys
from math import isnan
from pathlib import Path

import pytest

from tests.collected import Collected, device
from wardkeeper.acquisition.adapters.icmp import adapter
from wardkeeper.acquisition.contract import ConfigError

RANGE = Path("/proc/sys/net/ipv4/ping_group_range")


def may_ping():
    first, last = map(int, RANGE.read_text().split())
    return os.geteuid() == 0 or first <= os.getegid() <= last


needs_right = pytest.mark.skipif(not may_ping(), reason="needs root or net.ipv4.ping_group_range")


@needs_right
async def test_loopback_answers_every_probe():
    emit = Collected()
    await adapter.poll(device({"host": "127.0.0.1", "probes": 4, "spacing_s": 0.01}), emit)
    assert emit.last["icmp.loss_share"] == 0
    assert 0 < emit.last["icmp.rtt_min_ms"] <= emit.last["icmp.rtt_ms"] < 100


@needs_right
async def test_name_is_resolved():
    emit = Collected()
    await adapter.poll(device({"host": "localhost", "probes": 2, "spacing_s": 0.01}), emit)
    assert emit.last["icmp.loss_share"] == 0


@needs_right
async def test_address_that_answers_nobody_is_lost_whole_and_in_time():
    # The broadcast address of loopback: sent, and by net.ipv4.icmp_echo_ignore_broadcasts never answered.
    emit = Collected()
    clock = asyncio.get_running_loop().time
    began_s = clock()
    await adapter.poll(device({"host": "127.255.255.255", "probes": 3, "spacing_s": 0.01}), emit)
    assert clock() - began_s < 6
    assert emit.last["icmp.loss_share"] == 1
    assert isnan(emit.last["icmp.rtt_ms"])


@needs_right
async def test_hundred_hosts_at_once_lose_nothing_and_are_paced():
    emit = Collected()
    clock = asyncio.get_running_loop().time
    began_s = clock()
    targets = [
        device({"host": f"127.0.0.{each}", "probes": 2, "spacing_s": 0}, target=str(each))
        for each in range(1, 101)
    ]
    await asyncio.gather(*(adapter.poll(each, emit) for each in targets))
    assert clock() - began_s > 199 / adapter.PROBES_PER_S
    assert [each["icmp.loss_share"] for each in emit.samples] == [0] * 100


@needs_right
async def test_poll_that_is_cancelled_spoils_no_other():
    emit, gone = Collected(), Collected()
    slow = asyncio.ensure_future(adapter.poll(device({"host": "127.255.255.255", "probes": 2}), gone))
    await asyncio.sleep(0.05)
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)
    for _ in range(3):
        await adapter.poll(device({"host": "127.0.0.1", "probes": 5, "spacing_s": 0.2}), emit)
    assert [each["icmp.loss_share"] for each in emit.samples] == [0, 0, 0]
    assert gone.messages == []


async def test_pace_lets_callers_pass_one_by_one():
    pace = adapter.Pace(100)
    clock = asyncio.get_running_loop().time
    began_s = clock()
    passed = []

    async def caller(number):
        await pace.passed()
        passed.append((number, clock() - began_s))

    await asyncio.gather(*(caller(number) for number in range(20)))
    assert [number for number, _ in passed] == list(range(20))
    assert 0.18 < passed[-1][1] < 1


@pytest.mark.parametrize(
    "wrong",
    [{"host": ""}, {"host": "h", "probes": 1}, {"host": "h", "timeout_s": 9}, {"host": "h", "size_bytes": 1}],
)
async def test_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigError):
        await adapter.poll(device(wrong), Collected())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give its rights away")
@pytest.mark.peer("unshare")
@pytest.mark.parametrize(("groups", "says"), [("0 65534", "loss 0.0"), ("1 0", "ping_group_range")])
def test_ordinary_user_pings_by_group_or_is_told_what_to_do(groups, says):
    program = [sys.executable, "-c", _AS_NOBODY.format(groups=groups)]
    root = Path(__file__).parents[3]
    # A network of its own, so that neither this machine's setting matters nor is touched.
    done = subprocess.run(
        ["unshare", "--net", *program], capture_output=True, text=True, cwd=root, check=False, timeout=30
    )
    if "unshare failed" in done.stderr:
        pytest.skip("this machine lets nobody have a network of their own")
    assert says in done.stdout, done.stderr


_AS_NOBODY = """
import asyncio, fcntl, os, pathlib, socket, struct
# Imported as we are: the other user may not read our Python.
from tests.collected import Collected, device
from wardkeeper.acquisition.adapters.icmp import adapter
from wardkeeper.acquisition.contract import ConfigError
with socket.socket() as control:
    SIOCSIFFLAGS, UP = 0x8914, 1
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP))
pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text("{groups}")
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
emit = Collected()
try:
    asyncio.run(adapter.poll(device({{"host": "127.0.0.1", "probes": 2, "spacing_s": 0.01}}), emit))
    print("loss", emit.last["icmp.loss_share"])
except ConfigError as error:
    print(error)
"""
