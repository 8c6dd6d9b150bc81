"""Blocks and roll-ups, against the plainest possible computation."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from wardkeeper.aggregation.metric import block

samples = st.integers(1, 40).flatmap(
    lambda count: st.tuples(
        st.lists(st.integers(0, 7200), min_size=count, max_size=count, unique=True).map(sorted),
        nst.arrays(
            np.float64,
            (count, 3),
            elements=st.one_of(st.integers(-100, 100).map(float), st.just(float("nan"))),
        ),
    )
)


def plain(times, values, step_s):
    """By dictionary: bucket -> answered values."""
    found: dict[int, list[float]] = {}
    for time_ms, value in zip(times, values, strict=True):
        found.setdefault(time_ms // (step_s * 1000) * step_s * 1000, []).append(value)
    return {at: [value for value in some if value == value] for at, some in found.items()}  # noqa: PLR0124 - NaN


@given(samples)
def test_a_roll_up_is_what_counting_by_hand_gives(made):
    times, values = np.array(made[0], np.int64) * 1000, made[1]
    stats = block.roll_up(times, values, 300)
    for column in range(3):
        expected = plain(times.tolist(), values[:, column].tolist(), 300)
        assert stats.times_ms.tolist() == sorted(expected)
        for at, bucket in enumerate(stats.times_ms.tolist()):
            some = expected[bucket]
            assert stats.count[at, column] == len(some)
            got = [array[at, column] for array in (stats.low, stats.high, stats.total, stats.last)]
            want = [min(some), max(some), sum(some), some[-1]] if some else [np.nan] * 4
            np.testing.assert_array_equal(got, want)


@given(samples)
def test_rolling_up_twice_is_rolling_up_at_once(made):
    times, values = np.array(made[0], np.int64) * 1000, made[1]
    once = block.roll_up(times, values, 3600)
    twice = block.coarser(block.roll_up(times, values, 300), 3600)
    assert once.times_ms.tolist() == twice.times_ms.tolist()
    for left, right in zip(once.arrays(), twice.arrays(), strict=True):
        np.testing.assert_array_equal(left, right)


@given(samples, st.sets(st.integers(0, 2)))
def test_a_block_gives_each_kept_column_back_and_nothing_of_the_others(made, columns):
    times, values = np.array(made[0], np.int64) * 1000, made[1]
    packed = block.pack(times, values, sorted(columns), 3)
    out = np.full(values.shape, -1.0)
    block.unpack_into(out, packed)
    for column in range(3):
        np.testing.assert_array_equal(out[:, column], values[:, column] if column in columns else -1.0)


@given(samples, samples)
def test_a_union_keeps_each_time_once_and_the_older_value(first, second):
    old = (np.array(first[0], np.int64), first[1])
    new = (np.array(second[0], np.int64), second[1])
    times, values = block.union(old, new)
    expected = dict(zip(second[0], second[1].tolist(), strict=True)) | dict(
        zip(first[0], first[1].tolist(), strict=True)
    )
    assert times.tolist() == sorted(expected)
    np.testing.assert_array_equal(values, np.array([expected[at] for at in times.tolist()]))
    again = block.union((times, values), new)
    np.testing.assert_array_equal(again[1], values)


@given(samples, samples)
def test_the_richer_account_of_a_bucket_wins(first, second):
    left = block.roll_up(np.array(first[0], np.int64) * 1000, first[1], 300)
    right = block.roll_up(np.array(second[0], np.int64) * 1000, second[1], 300)
    both = block.richer(left, right)
    for at, bucket in enumerate(both.times_ms.tolist()):
        for column in range(3):
            counts = [
                float(side.count[np.flatnonzero(side.times_ms == bucket), column].sum())
                for side in (left, right)
            ]
            assert both.count[at, column] == max(counts)


@given(st.lists(samples, max_size=4))
def test_the_richest_of_many_accounts_is_what_two_at_a_time_give(made):
    accounts = []
    for times, values in made:
        stats = block.roll_up(np.array(times, np.int64) * 1000, values, 300)
        accounts.append(block.Stats(stats.times_ms, *(array[:, 0] for array in stats.arrays())))
    one_by_one = block.richest([])
    for account in accounts:
        one_by_one = block.richer(one_by_one, account)
    at_once = block.richest(accounts)
    for left, right in zip(
        (one_by_one.times_ms, *one_by_one.arrays()), (at_once.times_ms, *at_once.arrays()), strict=True
    ):
        np.testing.assert_array_equal(left, right)


@given(samples)
def test_stats_survive_packing(made):
    stats = block.roll_up(np.array(made[0], np.int64) * 1000, made[1], 300)
    packed = block.pack_stats(stats, [0, 2], 3)
    back = block.empty_stats(stats.times_ms, 3)
    block.unpack_stats_into(back, packed)
    for before, after in zip(stats.arrays(), back.arrays(), strict=True):
        np.testing.assert_array_equal(before[:, [0, 2]], after[:, [0, 2]])
    assert not back.count[:, 1].any()
