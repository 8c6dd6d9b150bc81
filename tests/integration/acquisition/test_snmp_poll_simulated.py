"""Polling snmpsim with whole recordings of devices that hospitals have."""

from math import isnan

import pytest

from tests.collected import Collected, device
from tests.snmp_peers import snmpsim
from wardkeeper.acquisition.adapters.snmp_poll import adapter, probe

RECORDINGS = {
    # community -> recording, interfaces, what else must come of it
    "huawei": ("network/router/huawei-s5720", 39, {"host.cpu_share": 0.38, "host.memory_share": 0.07}),
    "cisco": ("network/switch/cisco-c3560", 57, {"host.cpu_share": 0.58}),
    "dcn": ("network/switch/dcrs-5980-28t-dc", 53, {}),
    "brocade": ("network/switch/brocade-ds-5100b", 46, {}),
    "eaton": ("UPS/eaton-93e-80", 2, {"ups.on_battery": 0, "ups.charge_percent": 100}),
    "linux": ("os/linux/unknown-004", 7, {}),
    "windows": ("os/windows/server-2003-5-2", 2, {}),
    "phoenixtec": ("UPS/phoenixtec-power", 3, {"ups.on_battery": 0}),
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    names = {community: name for community, (name, _, _) in RECORDINGS.items()}
    with snmpsim(tmp_path_factory.mktemp("snmpsim"), names) as port:
        yield port


@pytest.mark.parametrize("community", RECORDINGS)
async def test_recorded_device_is_polled_whole(simulator, community):
    _, interfaces, expected = RECORDINGS[community]
    emit = Collected()
    config = {"host": "127.0.0.1", "port": simulator, "community": community, "request_timeout_s": 5}
    for _ in range(2):
        await adapter.poll(device(config, target=community, timeout_s=60), emit)
    adapter.forget(community)
    assert emit.last["device.reachable"] == 1
    assert len([name for name in emit.last if name.startswith("interface.oper_up{")]) == interfaces
    assert {name: emit.last[name] for name in expected} == pytest.approx(expected, abs=0.005)
    answered = [name for name, value in emit.last.items() if not isnan(value)]
    assert len(answered) > 0.8 * len(emit.last)
    assert emit.samples[0].keys() == emit.last.keys()
    assert len(emit.described) == 1


async def test_probe_introduces_a_simulated_switch(simulator):
    config = {"host": "127.0.0.1", "port": simulator, "request_timeout_s": 5}
    result = await probe.test(config, {"community": "huawei"})
    assert result.ok
    assert result.description.startswith("S5720-36C-EI-AC")
