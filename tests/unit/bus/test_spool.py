"""The collector's disk keeps what the bus cannot take, whatever happens to the process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wardkeeper.bus import spool as module
from wardkeeper.bus.contract import Envelope
from wardkeeper.bus.spool import Spool

MB = 1 << 20


def fact(number: int, size: int = 10) -> Envelope:
    return Envelope("collection.observations", f"fact-{number}", "key", bytes(size))


def sample(number: int, size: int = 10) -> Envelope:
    return Envelope("collection.samples", f"sample-{number}", "key", bytes(size))


def drained(spool: Spool) -> Iterator[str]:
    while segment := spool.oldest():
        yield from (envelope.id for envelope in segment.envelopes)
        spool.remove(segment)


def test_what_is_appended_comes_back_in_order_facts_before_samples(tmp_path):
    spool = Spool(tmp_path, 64 * MB)
    spool.append([sample(1), fact(1)])
    spool.append([fact(2), sample(2)])
    assert list(drained(spool)) == ["fact-1", "fact-2", "sample-1", "sample-2"]
    assert spool.is_empty
    assert spool.size_bytes == 0


def test_another_life_continues_where_the_first_ended(tmp_path):
    first = Spool(tmp_path, 64 * MB)
    first.append([fact(1)])
    second = Spool(tmp_path, 64 * MB)
    second.append([fact(2)])
    assert list(drained(second)) == ["fact-1", "fact-2"]


def test_what_is_appended_while_a_segment_is_sent_is_not_lost_with_it(tmp_path):
    spool = Spool(tmp_path, 64 * MB)
    spool.append([fact(1)])
    segment = spool.oldest()
    spool.append([fact(2)])
    spool.remove(segment)
    assert list(drained(spool)) == ["fact-2"]


def test_when_full_the_oldest_samples_go_first_and_facts_last(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SEGMENT_BYTES", 10_000)
    spool = Spool(tmp_path, 100_000)
    for number in range(30):
        spool.append([fact(number, 1000), sample(number, 5000)])
        assert spool.size_bytes <= 100_000
    assert spool.dropped_bytes > 0
    left = list(drained(spool))
    assert [each for each in left if each.startswith("fact")] == [f"fact-{number}" for number in range(30)]
    samples = [each for each in left if each.startswith("sample")]
    assert samples == [f"sample-{number}" for number in range(30 - len(samples), 30)]
    assert samples


def test_facts_go_oldest_first_when_no_sample_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SEGMENT_BYTES", 10_000)
    spool = Spool(tmp_path, 50_000)
    for number in range(100):
        spool.append([fact(number, 1000)])
    left = list(drained(spool))
    assert left == [f"fact-{number}" for number in range(100 - len(left), 100)]
    assert len(left) > 30


@given(cut=st.integers(min_value=0, max_value=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_tail_costs_only_the_torn_record(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, 64 * MB)
    spool.append([fact(number) for number in range(5)])
    spool.close()
    (path,) = folder.rglob("*.spool")
    whole = path.read_bytes()
    cut = min(cut, len(whole))
    path.write_bytes(whole[: len(whole) - cut])
    record = len(whole) // 5
    expected = max(0, 5 - -(-cut // record))
    assert list(drained(Spool(folder, 64 * MB))) == [f"fact-{number}" for number in range(expected)]


def test_a_damaged_record_is_told_and_what_stands_before_it_survives(tmp_path, caplog):
    spool = Spool(tmp_path, 64 * MB)
    spool.append([fact(number) for number in range(5)])
    spool.close()
    (path,) = tmp_path.rglob("*.spool")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    assert list(drained(Spool(tmp_path, 64 * MB))) == ["fact-0", "fact-1"]
    assert "spool.damaged" in caplog.messages


def test_a_full_disk_is_told_and_leaves_no_half_record(tmp_path, monkeypatch):
    spool = Spool(tmp_path, 64 * MB)
    spool.append([fact(1)])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            spool.append([fact(2)])
    spool.append([fact(3)])
    assert list(drained(spool)) == ["fact-1", "fact-3"]


WRITER = """
import sys
from pathlib import Path
from wardkeeper.bus.contract import Envelope
from wardkeeper.bus.spool import Spool
spool = Spool(Path(sys.argv[1]), 1 << 28)
number = 0
while True:
    spool.append([Envelope("collection.observations", str(number + each), "key", bytes(200)) for each in range(7)])
    number += 7
    print(number, flush=True)
"""


def test_nothing_confirmed_is_lost_when_the_collector_is_killed(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    confirmed = 0
    assert writer.stdout is not None
    for line in writer.stdout:
        confirmed = int(line)
        if confirmed > 200:
            writer.kill()
            break
    writer.wait()
    writer.stdout.close()
    found = list(drained(Spool(Path(tmp_path), 1 << 28)))
    assert len(found) >= confirmed
    assert found == [str(number) for number in range(len(found))]
