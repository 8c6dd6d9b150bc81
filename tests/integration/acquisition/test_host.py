"""Watching this machine, checked against what the kernel says itself."""

import socket
from math import isnan
from pathlib import Path

import pytest

from tests.collected import Collected, device
from wardkeeper.acquisition.adapters.host import adapter
from wardkeeper.acquisition.contract import ConfigError


@pytest.fixture(autouse=True)
def _forgotten():
    yield
    adapter.forget("t")


def kernel_uptime_s():
    return float(Path("/proc/uptime").read_text().split()[0])


def kernel_octets(name):
    return int(Path(f"/sys/class/net/{name}/statistics/rx_bytes").read_text())


async def test_machine_says_what_the_kernel_says():
    emit = Collected()
    for _ in range(2):
        await adapter.poll(device({}), emit)
    first, second = emit.samples
    assert isnan(first["host.cpu_share"])
    assert 0 <= second["host.cpu_share"] <= 1 or isnan(second["host.cpu_share"])
    assert second["device.reachable"] == 1
    assert second["device.uptime_s"] == pytest.approx(kernel_uptime_s(), abs=5)
    assert 0 < second["host.memory_share"] < 1
    assert 0 < second["storage.used_share{/}"] < 1
    for index, name in socket.if_nameindex():
        assert 0 <= second[f"interface.in_octets{{{index}}}"] <= kernel_octets(name)


async def test_machine_is_described_once():
    emit = Collected()
    for _ in range(3):
        await adapter.poll(device({}), emit)
    (described,) = emit.described
    assert described.attributes["sys_name"] == socket.gethostname()
    assert {each.kind for each in described.components} == {"interface", "storage"}
    assert "lo" in {each.name for each in described.components}


async def test_setting_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="colour"):
        await adapter.poll(device({"colour": "red"}), Collected())
