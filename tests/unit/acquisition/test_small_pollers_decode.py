"""icmp, tcp, http and host: samples replayed through decode, and decode fuzzed."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite, isnan
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardkeeper.acquisition import adapters
from wardkeeper.acquisition.adapters.host import decode as host
from wardkeeper.acquisition.adapters.http import decode as http
from wardkeeper.acquisition.adapters.icmp import decode as icmp
from wardkeeper.acquisition.adapters.tcp import decode as tcp
from wardkeeper.acquisition.columns import Columns
from wardkeeper.acquisition.contract import ConfigError, Malformed

FOLDER = Path(adapters.__file__).parent
AT = datetime(2026, 6, 1, tzinfo=UTC)


def samples(adapter, pattern="*.json"):
    found = sorted((FOLDER / adapter / "samples").glob(pattern))
    assert found
    return [pytest.param(path, id=path.stem) for path in found]


def read(path):
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", samples("icmp"))
def test_round_trips_come_to_the_expected_summary(path):
    sample = read(path)
    if "malformed" in sample:
        with pytest.raises(Malformed, match=sample["malformed"]):
            icmp.summary(sample["round_trips_s"], timeout_s=sample["timeout_s"])
        return
    found = icmp.summary(sample["round_trips_s"], timeout_s=sample["timeout_s"])
    for name, expected in sample["expected"].items():
        assert getattr(found, name) == pytest.approx(
            float("nan") if expected is None else expected, nan_ok=True
        )


@given(st.lists(st.none() | st.floats(), max_size=30), st.floats(0.001, 2))
def test_any_round_trips_are_summed_up_or_malformed(round_trips_s, timeout_s):
    with suppress(Malformed):
        found = icmp.summary(round_trips_s, timeout_s=timeout_s)
        assert 0 <= found.loss_share <= 1
        assert isnan(found.rtt_ms) == (found.loss_share == 1)
        assert isnan(found.rtt_ms) or found.rtt_min_ms <= found.rtt_ms * 1.000001


@pytest.mark.parametrize("path", samples("tcp"))
def test_greeting_is_recognised(path):
    sample, raw = read(path), path.with_suffix(".bin").read_bytes()
    if "malformed" in sample:
        with pytest.raises(Malformed, match=sample["malformed"]):
            tcp.greets_with(raw, sample["wanted"])
        return
    assert tcp.greets_with(raw, sample["wanted"]) is sample["expected"]


@given(st.binary(max_size=tcp.MOST_BANNER_BYTES + 10), st.text(max_size=5))
def test_any_greeting_is_judged_or_malformed(raw, wanted):
    with suppress(Malformed):
        assert tcp.greets_with(raw, wanted) in {True, False}


@pytest.mark.parametrize(
    "path", [each for each in samples("http") if each.values[0].with_suffix(".body").exists()]
)
def test_answer_is_judged_by_status_and_body(path):
    sample = read(path)
    expected = http.expectation(
        status=sample["allowed"], contains=sample["contains"], pattern=sample["pattern"]
    )
    assert expected.refusal(sample["status"], path.with_suffix(".body").read_bytes()) == sample["refusal"]


def test_certificate_of_the_sample_has_five_days_left():
    path = FOLDER / "http/samples/one-year.json"
    sample = read(path)
    at = datetime.fromisoformat(sample["at"])
    assert http.days_left(path.with_suffix(".der").read_bytes(), at) == pytest.approx(sample["days_left"])


def test_certificate_that_has_ended_has_negative_days_left():
    certificate = (FOLDER / "http/samples/one-year.der").read_bytes()
    assert http.days_left(certificate, datetime(2027, 1, 3, tzinfo=UTC)) == pytest.approx(-2)


@given(st.binary(max_size=600))
def test_any_bytes_are_a_certificate_or_malformed(raw):
    with suppress(Malformed):
        http.days_left(raw, AT)


@given(st.integers(0, 600), st.integers(0, 255))
def test_certificate_with_any_byte_changed_is_read_or_malformed(place, byte):
    raw = bytearray((FOLDER / "http/samples/one-year.der").read_bytes())
    raw[place % len(raw)] = byte
    with suppress(Malformed):
        assert isfinite(http.days_left(bytes(raw), AT))


@given(
    st.text("0123456789-, ", max_size=20), st.text(max_size=10), st.text(max_size=10), st.binary(max_size=60)
)
@settings(max_examples=300)
def test_any_expectation_is_refused_or_judges_any_body(status, contains, pattern, body):
    with suppress(ConfigError):
        assert http.expectation(status=status, contains=contains, pattern=pattern).refusal(200, body) in {
            "",
            "status",
            "text_missing",
            "pattern_missing",
        }


def test_pattern_that_would_take_re_for_ever_is_answered_at_once():
    expected = http.expectation(status="200", contains="", pattern="^(a+)+$")
    assert expected.refusal(200, b"a" * 200_000 + b"b") == "pattern_missing"


@pytest.mark.parametrize("path", samples("host"))
def test_snapshots_of_a_machine_come_to_the_expected_series(path):
    sample = read(path)
    before, now = (host.snapshot(json.dumps(sample[name]).encode()) for name in ("before", "now"))
    columns = Columns()
    host.measure(now, before, columns)
    assert columns.as_mapping() == pytest.approx(sample["expected"], abs=1e-9)
    assert [f"{each.kind} {each.instance}" for each in host.described(now).components] == sample["components"]


def test_first_snapshot_has_no_rates_and_no_processor_share():
    sample = read(next(iter(samples("host"))).values[0])
    columns = Columns()
    host.measure(host.snapshot(json.dumps(sample["now"]).encode()), None, columns)
    found = columns.as_mapping()
    assert isnan(found["host.cpu_share"])
    assert isnan(found["interface.in_bps{2}"])
    assert found["storage.used_share{/}"] == 0.25


@given(st.binary(max_size=200))
def test_any_bytes_are_a_snapshot_or_malformed(raw):
    with suppress(Malformed):
        host.snapshot(raw)


NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
LINKS = st.builds(
    host.Link,
    index=st.integers(1, 3),
    name=st.just("eth0"),
    **dict.fromkeys(
        ("in_octets", "out_octets", "in_errors", "out_errors", "in_discards", "out_discards"), NUMBERS
    ),
    speed_bps=FLOATS,
    admin_up=st.booleans(),
    oper_up=st.booleans(),
)
MOUNTS = st.builds(
    host.Mount, path=st.just("/"), type=st.just("ext4"), size_bytes=NUMBERS, used_bytes=NUMBERS
)
SNAPSHOTS = st.builds(
    host.Snapshot,
    **dict.fromkeys(("at_s", "uptime_s", "cpu_busy_s", "cpu_all_s", "load_1m"), FLOATS),
    memory_size_bytes=NUMBERS,
    memory_used_bytes=NUMBERS,
    mounts=st.tuples(MOUNTS),
    links=st.lists(LINKS, max_size=2).map(tuple),
    attributes=st.just({}),
)


@given(SNAPSHOTS, SNAPSHOTS)
def test_any_two_snapshots_are_measured(before, now):
    columns = Columns()
    host.measure(now, before, columns)
    share = columns.as_mapping()["host.cpu_share"]
    assert isnan(share) or 0 <= share <= 1
    assert host.snapshot(msgspec.json.encode(now)) == now
