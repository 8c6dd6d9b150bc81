"""Whatever float64 goes in comes out, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from wardkeeper.aggregation.metric import codec

MINUTE = 60_000
any_float = st.one_of(
    st.floats(width=64, allow_subnormal=True),
    st.sampled_from([0.0, -0.0, np.inf, -np.inf, np.nan, 1e308, -1e-308, 5e-324, 2.0**53, 2.0**53 + 2]),
    st.integers(-(10**15), 10**15).map(float),
    st.integers(-(10**9), 10**9).map(lambda whole: whole / 100),
)


def same_bits(left, right):
    return left.shape == right.shape and np.array_equal(left.view(np.uint64), right.view(np.uint64))


@st.composite
def matrices(draw):
    width = draw(st.integers(1, 40))
    kinds = bytes(draw(st.lists(st.integers(0, 2), min_size=width, max_size=width)))
    rows = draw(st.integers(1, 8))
    base = draw(nst.arrays(np.float64, (rows, width), elements=any_float))
    if draw(st.booleans()):  # what devices do: most of a poll repeats the one before
        for at in range(1, rows):
            keep = draw(st.lists(st.booleans(), min_size=width, max_size=width))
            base[at] = np.where(keep, base[at - 1], base[at])
    return kinds, base


@given(matrices(), st.data())
def test_polls_come_back_bit_for_bit_whether_relative_or_not(made, data):
    kinds, values = made
    layout = codec.plan(kinds)
    stored, previous = [], None
    for at, row in enumerate(values):
        if data.draw(st.booleans()):
            previous = None
        encoded = codec.encode_poll(row, layout, previous)
        base = (at - 1) * MINUTE if encoded.is_relative else None
        stored.append(codec.StoredPoll(at * MINUTE, base, encoded.data))
        previous = encoded.reference
    assert same_bits(codec.decode_polls(stored, layout), values)
    some = [len(kinds) - 1, 0]
    assert same_bits(codec.decode_polls(stored, layout, some), np.ascontiguousarray(values[:, some]))


@given(nst.arrays(np.float64, st.integers(0, 500), elements=any_float))
def test_a_track_comes_back_bit_for_bit(values):
    assert same_bits(codec.decode_track(codec.encode_track(values)), values)


@given(st.lists(st.integers(0, 2**62), max_size=300))
def test_times_come_back(times):
    packed = codec.encode_times(np.array(times, np.int64))
    assert codec.decode_times(packed).tolist() == times


@pytest.mark.parametrize(
    "bits", [0x7FF8000000000000, 0x7FF8DEADBEEF0001, 0xFFF0000000000001, 0x8000000000000000]
)
def test_even_the_payload_of_a_nan_survives(bits):
    values = np.full(20, bits, np.uint64).view(np.float64)
    layout = codec.plan(bytes(20))
    encoded = codec.encode_poll(values, layout)
    assert same_bits(codec.decode_polls([codec.StoredPoll(0, None, encoded.data)], layout)[0], values)


@settings(max_examples=20)
@given(st.sampled_from([1, 2, 3, 62, 63, 64, 255, 256, 65_535, 65_536, 262_143, 262_144, 300_001]))
def test_the_wrapping_is_taken_off_at_every_length(length):
    values = np.arange(length, dtype=np.float64)
    assert same_bits(codec.decode_track(codec.encode_track(values)), values)


def test_a_late_poll_between_two_of_a_chain_changes_nothing():
    layout = codec.plan(bytes(5))
    rows = [np.arange(5, dtype=np.float64) * 10 + at for at in range(3)]
    first = codec.encode_poll(rows[0], layout)
    second = codec.encode_poll(rows[1], layout, first.reference)
    late = codec.encode_poll(rows[2], layout)
    assert second.is_relative
    stored = [
        codec.StoredPoll(0, None, first.data),
        codec.StoredPoll(30_000, None, late.data),
        codec.StoredPoll(60_000, 0, second.data),
    ]
    assert same_bits(codec.decode_polls(stored, layout), np.array([rows[0], rows[2], rows[1]]))


def test_a_poll_whose_base_is_missing_is_refused():
    with pytest.raises(codec.Undecodable, match="missing"):
        codec.decode_polls([codec.StoredPoll(60_000, 0, b"")], codec.plan(bytes(5)))


def test_a_damaged_poll_is_refused():
    layout = codec.plan(bytes(5))
    data = codec.encode_poll(np.arange(5.0), layout).data
    with pytest.raises(codec.Undecodable):
        codec.decode_polls([codec.StoredPoll(0, None, data[:-1])], layout)
    with pytest.raises(codec.Undecodable):
        codec.decode_polls([codec.StoredPoll(0, None, b"\x09" + data[1:])], layout)


def test_a_poll_that_repeats_most_of_the_one_before_is_small():
    layout = codec.plan(bytes(400))
    counters = np.random.default_rng(1).integers(0, 10**12, 400).astype(np.float64)
    first = codec.encode_poll(counters, layout)
    second = codec.encode_poll(counters + np.arange(400) % 100, layout, first.reference)
    assert len(second.data) * 4 < len(first.data)
