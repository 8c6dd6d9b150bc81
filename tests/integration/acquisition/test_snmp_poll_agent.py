"""Polling an agent of our own, to whom everything can happen that happens to devices."""

import asyncio
import random
from math import isnan

import pytest

from tests.collected import Collected, device
from tests.snmp_peers import Agent, answering
from wardkeeper.acquisition.adapters.snmp_poll import adapter, probe
from wardkeeper.cli.bench._snmp_agent import bound, identifier, integer, oid, string, switch

COUNTER32, TICKS, COUNTER64 = 0x41, 0x43, 0x46
UPTIME = oid("1.3.6.1.2.1.1.3.0")
IF_NUMBER = oid("1.3.6.1.2.1.2.1.0")
LAST_CHANGE = oid("1.3.6.1.2.1.31.1.5.0")
IN_WIDE = oid("1.3.6.1.2.1.31.1.1.1.6.1")
IN_NARROW = oid("1.3.6.1.2.1.2.2.1.10.1")


@pytest.fixture(autouse=True)
def _strangers():
    adapter.forget("t")
    yield
    adapter.forget("t")


@pytest.fixture
def emit():
    return Collected()


def at(port, **more):
    return {"host": "127.0.0.1", "port": port, "request_timeout_s": 0.3, "retries": 1, **more}


def without_wide_counters(ports):
    agent = Agent(switch(ports))
    agent.drop(oid("1.3.6.1.2.1.31.1.1.1.6"))
    agent.drop(oid("1.3.6.1.2.1.31.1.1.1.10"))
    return agent


async def test_48_ports_are_a_dozen_requests(emit):
    agent = Agent(switch(48))
    async with answering(agent.answer) as port:
        await adapter.poll(device(at(port)), emit)
        agent.requests = 0
        await adapter.poll(device(at(port)), emit)
    assert agent.requests <= 12
    assert emit.counts["variables"] == 2 * (3 + 48 * 9)
    assert emit.last["snmp.missing"] == 0
    assert emit.last["interface.speed_bps{48}"] == 1e9


async def test_v1_reads_the_same_48_ports(emit):
    async with answering(Agent(switch(48)).answer) as port:
        await adapter.poll(device(at(port, version="1"), target="one"), emit)
        await adapter.poll(device(at(port)), emit)
    adapter.forget("one")
    one, two = emit.samples
    timed = ("snmp.response_ms", "device.uptime_s")
    comparable = {name: value for name, value in one.items() if name not in timed}
    assert comparable == pytest.approx({name: two[name] for name in comparable}, nan_ok=True)


async def test_32_bit_counter_wraps_without_a_gap_or_a_spike(emit):
    agent = without_wide_counters(2)
    agent.set({IN_NARROW: integer((1 << 32) - 1000, COUNTER32)})
    async with answering(agent.answer) as port:
        await adapter.poll(device(at(port)), emit)
        agent.set({IN_NARROW: integer(1000, COUNTER32)})
        await asyncio.sleep(0.05)
        await adapter.poll(device(at(port)), emit)
    assert emit.described[0].components[0].attributes["counter_bits"] == 32
    assert 0 < emit.last["interface.in_bps{1}"] < 2000 * 8 / 0.05


async def test_restart_gives_no_rate_and_the_poll_after_it_does(emit):
    agent = Agent(switch(2))
    async with answering(agent.answer) as port:
        await adapter.poll(device(at(port)), emit)
        agent.set({UPTIME: integer(10, TICKS), IN_WIDE: integer(5, COUNTER64)})
        await adapter.poll(device(at(port)), emit)
        assert isnan(emit.last["interface.in_bps{1}"])
        assert emit.last["device.uptime_s"] == 0.1
        agent.set({IN_WIDE: integer(5000, COUNTER64)})
        await adapter.poll(device(at(port)), emit)
    assert emit.last["interface.in_bps{1}"] > 0


async def test_counter_cleared_by_hand_gives_no_rate_on_that_port_only(emit):
    agent = Agent(switch(2))
    async with answering(agent.answer) as port:
        await adapter.poll(device(at(port)), emit)
        agent.set({IN_WIDE: integer(5, COUNTER64)})
        await adapter.poll(device(at(port)), emit)
    assert isnan(emit.last["interface.in_bps{1}"])
    assert emit.last["interface.in_bps{2}"] == 0


async def test_uptime_that_wraps_keeps_the_rates(emit):
    agent = Agent(switch(2))
    agent.set({UPTIME: integer((1 << 32) - 1, TICKS)})
    async with answering(agent.answer) as port:
        await adapter.poll(device(at(port)), emit)
        agent.set({UPTIME: integer(4, TICKS)})
        await adapter.poll(device(at(port)), emit)
    assert emit.last["interface.in_bps{1}"] == 0


@pytest.mark.parametrize("announced", [True, False], ids=["ifNumber", "ifTableLastChange"])
async def test_new_interface_is_polled_in_the_poll_that_notices_it(emit, announced):
    agent = Agent(switch(2))
    async with answering(agent.answer) as port:
        await adapter.poll(device(at(port)), emit)
        wider = switch(3)
        if not announced:
            wider |= {IF_NUMBER: integer(2), LAST_CHANGE: integer(77, TICKS)}
        agent.set(wider)
        await adapter.poll(device(at(port)), emit)
    assert emit.last["interface.oper_up{3}"] == 1
    assert len(emit.described) == 2
    assert [each.instance for each in emit.described[1].components] == ["1", "2", "3"]


async def test_column_that_the_agent_lacks_is_nan_and_counted_and_asked_for_no_new_discovery(emit):
    agent = Agent(switch(4))
    agent.drop(oid("1.3.6.1.2.1.2.2.1.13"))
    async with answering(agent.answer) as port:
        await adapter.poll(device(at(port)), emit)
        await adapter.poll(device(at(port)), emit)
        agent.requests = 0
        await adapter.poll(device(at(port)), emit)
    assert agent.requests <= 12
    assert isnan(emit.last["interface.in_discards{1}"])
    assert emit.last["snmp.missing"] == 4
    assert emit.counts["missing"] == 12
    assert emit.last["interface.out_discards{1}"] == 1


async def test_answers_lost_on_the_way_are_asked_for_again(emit):
    agent = Agent(switch(48))
    dice = random.Random(7)
    async with answering(lambda asked: agent.answer(asked) if dice.random() > 0.2 else None) as port:
        await adapter.poll(device(at(port, request_timeout_s=0.05, retries=10)), emit)
    assert emit.last["device.reachable"] == 1
    assert emit.last["snmp.missing"] == 0


async def test_device_that_dies_during_a_poll_keeps_what_it_had_said(emit):
    agent = Agent(switch(4))
    async with answering(lambda asked: agent.answer(asked) if agent.requests < last else None) as port:
        last = 1000
        await adapter.poll(device(at(port)), emit)
        last = agent.requests + 3
        await adapter.poll(device(at(port)), emit)
    assert emit.last["device.reachable"] == 1
    assert emit.last["interface.in_octets{1}"] > 0
    assert isnan(emit.last["interface.oper_up{1}"])
    assert emit.last["snmp.missing"] == 4 * 7
    assert emit.counts["trouble.timeout"] == 1


async def test_agent_that_answers_with_the_same_object_for_ever_does_not_hold_the_poll(emit):
    agent = Agent(switch(2))

    def stuck(asked):
        answer = agent.answer(asked)
        # the last row of ifDescr is named like the one before: a walk that believed it would never end
        row_1, row_2 = (identifier((*oid("1.3.6.1.2.1.2.2.1.2"), row)) for row in (1, 2))
        return answer.replace(row_2, row_1) if answer else None

    async with answering(stuck) as port:
        async with asyncio.timeout(5):
            await adapter.poll(device(at(port), timeout_s=4), emit)
    assert emit.last["device.reachable"] == 1


@pytest.mark.parametrize("kind", ["noise", "echo", "flood", "cut", "empty"])
async def test_no_bytes_whatever_make_a_poll_raise(emit, kind):
    agent = Agent(switch(4))
    dice = random.Random(3)

    def nasty(asked):
        whole = agent.answer(asked) or b""
        return {
            "noise": dice.randbytes(dice.randrange(1, 200)),
            "echo": asked,
            "flood": [dice.randbytes(60) for _ in range(50)],
            "cut": whole[: dice.randrange(len(whole) + 1)],
            "empty": b"",
        }[kind]

    for version in ("1", "2c", "3"):
        more = {"user": "u"} if version == "3" else {}
        async with answering(nasty) as port, asyncio.timeout(8):
            await adapter.poll(device(at(port, version=version, **more), timeout_s=3), emit)
            assert emit.last["device.reachable"] in {0, 1}
        adapter.forget("t")


async def test_flipped_bytes_in_true_answers_never_raise_out_of_a_poll(emit):
    agent = Agent(switch(8))
    dice = random.Random(11)

    def flipped(asked):
        answer = bytearray(agent.answer(asked) or b"")
        if not is_bad:
            return bytes(answer)
        for _ in range(dice.randrange(3)):
            answer[dice.randrange(len(answer))] = dice.randrange(256)
        return bytes(answer)

    async with answering(flipped) as port:
        is_bad = True
        target = device(at(port, request_timeout_s=0.02), timeout_s=2)
        for _ in range(20):
            await adapter.poll(target, emit)
        is_bad = False
        await adapter.poll(target, emit)
    assert len(emit.samples) == 21
    assert emit.last["device.reachable"] == 1


async def test_silent_device_is_unreachable_before_the_scheduler_s_patience_ends(emit):
    with bound() as silent:
        clock = asyncio.get_running_loop().time
        began_s = clock()
        await adapter.poll(device(at(silent.getsockname()[1], request_timeout_s=5), timeout_s=1), emit)
    assert clock() - began_s < 1
    assert emit.last == {"device.reachable": 0.0}


async def test_dead_devices_delay_no_other(emit):
    agent = Agent(switch(8))
    dead = Collected()
    with bound() as silent:
        async with answering(agent.answer) as port:
            gone = [
                device(at(silent.getsockname()[1], request_timeout_s=2), target=f"dead {each}")
                for each in range(200)
            ]
            waiting = [asyncio.ensure_future(adapter.poll(each, dead)) for each in gone]
            await adapter.poll(device(at(port)), emit)
            began_s = asyncio.get_running_loop().time()
            for _ in range(20):
                await adapter.poll(device(at(port)), emit)
            took_s = asyncio.get_running_loop().time() - began_s
            assert not any(each.done() for each in waiting)
        await asyncio.gather(*waiting)
    for each in gone:
        adapter.forget(each.target)
    assert took_s < 1
    assert all(each["device.reachable"] == 1 for each in emit.samples)
    assert [each["device.reachable"] for each in dead.samples] == [0.0] * 200


async def test_poll_that_is_cancelled_stops(emit):
    with bound() as silent:
        poll = asyncio.ensure_future(
            adapter.poll(device(at(silent.getsockname()[1], request_timeout_s=20)), emit)
        )
        await asyncio.sleep(0.05)
        poll.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(1):
                await poll
    assert emit.messages == []


async def test_changed_configuration_begins_anew(emit):
    one, two = Agent(switch(2, name=b"one")), Agent(switch(3, name=b"two"))
    async with answering(one.answer) as first, answering(two.answer) as second:
        await adapter.poll(device(at(first)), emit)
        await adapter.poll(device(at(second)), emit)
    assert [each.attributes["sys_name"] for each in emit.described] == ["one", "two"]
    assert isnan(emit.last["interface.in_bps{1}"])


async def test_ups_on_battery_is_seen(emit):
    ups = {
        oid("1.3.6.1.2.1.1.3.0"): integer(1000, TICKS),
        oid("1.3.6.1.2.1.1.5.0"): string("门诊UPS".encode("gbk")),
        oid("1.3.6.1.2.1.33.1.2.2.0"): integer(42),
        oid("1.3.6.1.2.1.33.1.2.3.0"): integer(17),
        oid("1.3.6.1.2.1.33.1.2.4.0"): integer(80),
        oid("1.3.6.1.2.1.33.1.4.1.0"): integer(5),
    }
    async with answering(Agent(ups).answer) as port:
        await adapter.poll(device(at(port)), emit)
    assert [emit.last[name] for name in ("ups.on_battery", "ups.minutes_left", "ups.charge_percent")] == [
        1,
        17,
        80,
    ]
    assert emit.described[0].attributes["sys_name"] == "门诊UPS"


async def test_probe_tells_a_device_that_speaks_only_the_other_version():
    agent = Agent(switch(1))
    async with answering(
        lambda asked: agent.answer(asked) if asked[2:5] == b"\x02\x01\x00" else None
    ) as port:
        result = await probe.test(at(port), {"community": "public"})
    assert (result.ok, result.reason, result.detail) == (False, "wrong_version", "1")


async def test_probe_of_nobody_is_a_timeout():
    with bound() as silent:
        result = await probe.test(at(silent.getsockname()[1]), {"community": "public"})
    assert (result.ok, result.reason) == (False, "timeout")


async def test_probe_without_access_to_the_system_group_says_so():
    async with answering(Agent({oid("1.3.6.1.4.1.1.1.0"): integer(1)}).answer) as port:
        result = await probe.test(at(port), {"community": "public"})
    assert (result.ok, result.reason) == (False, "no_access")
