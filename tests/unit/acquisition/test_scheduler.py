"""Polls keep their phase, never overlap, and do not wait for each other."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.acquisition.contract import ConfigError, Device, Emit
from wardkeeper.acquisition.registry import Adapter, Kind, Manifest
from wardkeeper.acquisition.scheduler import Scheduler, phase_of, timeout_of, until_slot
from wardkeeper.messages import Message, Target
from wardkeeper.settings.vault import Vault, VaultError

VAULT = Vault("a key for tests, long enough")


class Silent:
    collector = "test"

    def __call__(self, message: Message) -> None: ...

    def malformed(self, raw: bytes, source: str, reason: str) -> None: ...

    def count(self, name: str, amount: int = 1) -> None: ...


class Polled:
    """An adapter whose polls do what the target's `host` says: "quick", "dead", "broken", "wrong"."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []
        self.running: dict[str, int] = {}
        self.overlapped = False
        self.forgotten: list[str] = []
        self.configs: dict[str, Mapping[str, Any]] = {}

    async def poll(self, device: Device, _emit: Emit) -> None:
        name = device.target
        self.began.append((name, time.monotonic()))
        self.configs[name] = device.config
        self.running[name] = self.running.get(name, 0) + 1
        self.overlapped |= self.running[name] > 1
        try:
            match device.config.get("host"):
                case "dead":
                    await asyncio.sleep(100)
                case "broken":
                    raise RuntimeError("surprise")
                case "wrong":
                    raise ConfigError("no such host")
        finally:
            self.running[name] -= 1

    def times(self, name: str) -> list[float]:
        return [at for each, at in self.began if each == name]

    def load(self, name: str) -> Adapter:
        if name != "polled":
            raise ConfigError(f"no adapter {name!r}")
        manifest = Manifest(name=name, title={}, kind=Kind.POLLER)
        return Adapter(manifest, object, None, self.poll, self.forgotten.append)


def target(
    name: str, host: str = "quick", *, interval_s: float = 0.2, secrets: str = "", adapter: str = "polled"
) -> Target:
    return Target(
        id=name, ci=1, adapter=adapter, interval_s=interval_s, config={"host": host}, secrets=secrets
    )


@pytest.fixture
async def polled():
    return Polled()


@pytest.fixture
async def scheduler(polled: Polled):
    made = Scheduler(emit_for=lambda _: Silent(), open_secrets=VAULT.open, load=polled.load)
    yield made
    await made.stop()


async def until(condition, within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


async def test_targets_are_polled_again_and_again(scheduler: Scheduler, polled: Polled):
    scheduler.assign([target("a"), target("b")])
    await until(lambda: len(polled.times("a")) >= 3 and len(polled.times("b")) >= 3)
    assert not polled.overlapped


async def test_a_dead_device_delays_no_other_and_times_out_before_its_next_slot(
    scheduler: Scheduler, polled: Polled
):
    scheduler.assign([target("dead", "dead"), target("live")])
    await until(lambda: len(polled.times("live")) >= 8)
    gaps = [b - a for a, b in zip(polled.times("live"), polled.times("live")[1:], strict=False)]
    assert max(gaps[1:]) < 0.4
    assert not polled.overlapped
    assert scheduler.counts["timed_out"] >= 1
    assert "no result within" in scheduler.troubles["dead"]


async def test_more_dead_devices_than_slots_only_wait_for_slots(polled: Polled):
    scheduler = Scheduler(emit_for=lambda _: Silent(), open_secrets=VAULT.open, load=polled.load, limit=2)
    scheduler.assign([*(target(f"dead{n}", "dead") for n in range(4)), target("live")])
    await until(lambda: len(polled.times("live")) >= 2)
    assert not polled.overlapped
    await scheduler.stop()


async def test_a_poll_that_raises_is_polled_again(scheduler: Scheduler, polled: Polled):
    scheduler.assign([target("broken", "broken")])
    await until(lambda: len(polled.times("broken")) >= 2)
    assert scheduler.troubles["broken"] == "RuntimeError: surprise"


async def test_a_misconfigured_target_stays_down_until_it_changes(scheduler: Scheduler, polled: Polled):
    scheduler.assign([target("wrong", "wrong"), target("live")])
    await until(lambda: len(polled.times("live")) >= 4)
    assert len(polled.times("wrong")) == 1
    assert scheduler.troubles["wrong"] == "no such host"
    scheduler.assign([target("wrong", "quick")])
    await until(lambda: len(polled.times("wrong")) >= 2)
    assert scheduler.troubles == {}


async def test_an_unknown_adapter_or_a_foreign_secret_hurts_only_its_own_target(
    scheduler: Scheduler, polled: Polled
):
    foreign = Vault("the key of another house").seal({"community": "x"})
    scheduler.assign([target("x", adapter="nothing"), target("y", secrets=foreign), target("live")])
    await until(lambda: len(polled.times("live")) >= 2)
    assert "no adapter 'nothing'" in scheduler.troubles["x"]
    assert VaultError.__name__ in scheduler.troubles["y"]


async def test_secrets_reach_the_poll_opened_and_nothing_else(scheduler: Scheduler, polled: Polled):
    scheduler.assign([target("a", secrets=VAULT.seal({"community": "hospital"}))])
    await until(lambda: "a" in polled.configs)
    assert polled.configs["a"] == {"host": "quick", "community": "hospital"}


async def test_an_unchanged_target_goes_on_and_a_vanished_one_is_forgotten(
    scheduler: Scheduler, polled: Polled
):
    scheduler.assign([target("a"), target("b")])
    await until(lambda: len(polled.times("a")) >= 1)
    task = scheduler._watched["a"].task
    scheduler.assign([target("a"), target("c")])
    assert scheduler._watched["a"].task is task
    assert polled.forgotten == ["b"]
    assert len(scheduler) == 2


@given(st.text(min_size=1), st.floats(1, 3600), st.floats(0, 2e9))
def test_the_next_slot_is_never_now_and_never_further_than_an_interval(
    name: str, interval_s: float, now: float
):
    phase_s = phase_of(name, interval_s)
    assert 0 <= phase_s < interval_s
    assert phase_of(name, interval_s) == phase_s
    assert 0 < until_slot(now, interval_s, phase_s) <= interval_s


def test_phases_spread_a_thousand_targets_over_the_minute():
    tenths = [int(phase_of(str(n), 60) // 6) for n in range(1000)]
    assert all(60 <= tenths.count(tenth) <= 140 for tenth in range(10))


@given(st.floats(0.1, 86_400))
def test_a_poll_ends_before_its_next_slot(interval_s: float):
    assert 0 < timeout_of(interval_s) < interval_s
