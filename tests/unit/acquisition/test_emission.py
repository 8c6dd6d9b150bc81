"""The queue between adapters and bus keeps order, keeps everything, and says when it is full."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from wardkeeper.acquisition.batching import LARGEST_BYTES, ROWS, Batcher, Gathering
from wardkeeper.acquisition.emission import AdapterEmit, Outbound
from wardkeeper.acquisition.malformed import KEPT, Keeper
from wardkeeper.messages import CollectorStarted, Message, ObservationsReceived


class Recorder:
    """A publisher that can be away."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.failures = 0
        self.something = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(self, messages: Sequence[Message]) -> None:
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("bus away and disk full")
        self.published += messages
        self.something.set()


@pytest.fixture
async def recorder():
    return Recorder()


@pytest.fixture
async def outbound(recorder: Recorder):
    made = Outbound(recorder, bound=10)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()


def fact(name: str = "x") -> Message:
    return CollectorStarted(collector=name)


async def test_facts_arrive_once_and_in_order(outbound: Outbound, recorder: Recorder):
    facts = [fact(str(n)) for n in range(1000)]
    for each in facts:
        outbound.put((each,))
    await outbound.flush()
    assert recorder.published == facts
    assert outbound.published == 1000
    assert outbound.waiting == 0


async def test_full_means_wait_and_nothing_is_thrown_away(outbound: Outbound, recorder: Recorder):
    recorder.gate.clear()
    for n in range(25):
        outbound.put((fact(str(n)),))
    assert outbound.is_full
    waiting = asyncio.create_task(outbound.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    recorder.gate.set()
    await asyncio.wait_for(waiting, 2)
    await outbound.flush()
    assert len(recorder.published) == 25
    assert not outbound.is_full


async def test_a_failed_publish_is_repeated_until_it_succeeds(outbound: Outbound, recorder: Recorder):
    recorder.failures = 1
    outbound.put((fact("kept"),))
    await asyncio.wait_for(outbound.flush(), 5)
    assert [each.collector for each in recorder.published if isinstance(each, CollectorStarted)] == ["kept"]
    assert outbound.trouble == ""


def emit_of(outbound: Outbound, folder: Path) -> AdapterEmit:
    return AdapterEmit(collector="test", outbound=outbound, counts=Counter(), keeper=Keeper(folder))


async def test_durable_returns_only_when_the_publisher_has_it(
    outbound: Outbound, recorder: Recorder, tmp_path: Path
):
    recorder.gate.clear()
    waiting = asyncio.create_task(emit_of(outbound, tmp_path).durable([fact()]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    recorder.gate.set()
    await asyncio.wait_for(waiting, 2)
    assert len(recorder.published) == 1


async def test_a_batch_holds_one_source_in_order_and_stays_small(
    outbound: Outbound, recorder: Recorder, tmp_path: Path
):
    batcher = Batcher("syslog", emit_of(outbound, tmp_path))
    for n in range(2 * ROWS + 1):
        batcher.add("10.0.0.1", n, "syslog", {"n": n}, size=100)
        batcher.add("10.0.0.2", n, "syslog", {"n": n}, size=100)
    batcher.add("10.0.0.3", 1, "syslog", {"n": 1}, size=LARGEST_BYTES)
    batcher.add("10.0.0.3", 2, "syslog", {"n": 2}, size=LARGEST_BYTES)
    batcher.flush()
    await outbound.flush()
    seen: dict[str, list[object]] = {}
    for message in recorder.published:
        assert isinstance(message, ObservationsReceived)
        assert len(message.times_ms) <= ROWS
        seen.setdefault(message.source, []).extend(row["n"] for row in message.fields)
        assert [each.fields for each in message.split()] == list(message.fields)
    assert seen["10.0.0.1"] == seen["10.0.0.2"] == list(range(2 * ROWS + 1))
    assert seen["10.0.0.3"] == [1, 2]
    assert len(recorder.published) == 3 + 3 + 2


async def test_what_is_gathered_leaves_by_itself_and_at_the_end(
    outbound: Outbound, recorder: Recorder, tmp_path: Path
):
    batcher = Batcher("syslog", emit_of(outbound, tmp_path))
    running = asyncio.create_task(batcher.run())
    batcher.add("10.0.0.1", 1, "syslog", {}, size=1)
    await asyncio.wait_for(recorder.something.wait(), 5)
    batcher.add("10.0.0.1", 2, "syslog", {}, size=1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await outbound.flush()
    assert len(recorder.published) == 2


def test_the_same_rows_under_the_same_names_are_the_same_messages():
    def made() -> list[ObservationsReceived]:
        gathering = Gathering("snmp_trap", "test", lambda number: f"id{number}")
        for source in ("b", "a", "b"):
            gathering.add(source, 5, "kind", {"x": 1}, size=1)
        return gathering.messages()

    assert [(each.id, each.source, each.fields) for each in made()] == [
        (each.id, each.source, each.fields) for each in made()
    ]
    assert [each.source for each in made()] == ["b", "a"]


def test_the_last_malformed_inputs_are_kept_without_patient_and_without_end(tmp_path: Path):
    now = [1000.0]
    keeper = Keeper(tmp_path, clock=lambda: now[0])
    for n in range(KEPT + 50):
        now[0] += 1
        keeper.keep(b"%d PID|1||12345||ZHANG^SAN" % n, "10.0.0.1", "not_text")
    keeper.save()
    kept = json.loads((tmp_path / "last.json").read_text())
    assert len(kept) == KEPT
    assert kept[-1]["reason"] == "not_text"
    assert all(b"ZHANG" not in bytes.fromhex(each["hex"]) for each in kept)
    assert (tmp_path / "last.json").stat().st_mode & 0o777 == 0o600


def test_a_flood_of_malformed_input_is_counted_not_kept(tmp_path: Path):
    keeper = Keeper(tmp_path, clock=lambda: 1000.0)
    for _ in range(10_000):
        keeper.keep(b"\xff" * 60_000, "10.0.0.1", "not_text")
    keeper.save()
    assert len(json.loads((tmp_path / "last.json").read_text())) == 20
    assert (tmp_path / "last.json").stat().st_size < 400_000
