from math import isnan

from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.acquisition.rate import increase, octets_to_bps, restarted

GIGABIT = 1e9


def test_rate_is_bits_over_the_time_between_two_readings():
    assert octets_to_bps(2_000_000, 1_000_000, elapsed_s=8, bits=64, speed_bps=GIGABIT) == 1_000_000


def test_32_bit_counter_that_wrapped_is_counted_through():
    assert octets_to_bps(500, (1 << 32) - 500, elapsed_s=8, bits=32, speed_bps=1e8) == 1000


def test_64_bit_counter_that_wrapped_is_counted_through():
    assert octets_to_bps(500, (1 << 64) - 500, elapsed_s=8, bits=64, speed_bps=1e10) == 1000


def test_counter_that_was_set_back_gives_no_rate_instead_of_a_spike():
    assert isnan(octets_to_bps(10, 3_000_000_000, elapsed_s=60, bits=32, speed_bps=1e7))
    assert isnan(octets_to_bps(10, 10**15, elapsed_s=60, bits=64, speed_bps=1e11))


def test_counter_that_was_set_back_on_a_line_of_unknown_speed_gives_no_rate():
    assert isnan(octets_to_bps(10, 10**15, elapsed_s=60, bits=64, speed_bps=0))
    assert isnan(octets_to_bps(10, 10**9, elapsed_s=60, bits=32, speed_bps=float("nan")))


def test_virtual_interface_faster_than_the_speed_it_states_keeps_its_rate():
    assert octets_to_bps(10**9, 0, elapsed_s=1, bits=64, speed_bps=1e7) == 8e9


def test_two_readings_at_one_moment_have_no_rate():
    assert isnan(octets_to_bps(2, 1, elapsed_s=0, bits=64, speed_bps=GIGABIT))


@given(
    start=st.integers(0, (1 << 64) - 1),
    step=st.integers(0, 10**12),
    bits=st.sampled_from((32, 64)),
)
def test_increase_is_the_step_wherever_the_counter_stood(start, step, bits):
    top = 1 << bits
    step %= top
    assert increase((start % top + step) % top, start % top, bits=bits, most=top) == step


@given(new=st.integers(0, (1 << 64) - 1), old=st.integers(0, (1 << 64) - 1), speed=st.floats(0, 1e12))
def test_rate_is_never_negative_nor_a_wrapped_spike_beyond_line_speed(new, old, speed):
    rate = octets_to_bps(new, old, elapsed_s=60, bits=64, speed_bps=speed)
    assert isnan(rate) or rate >= 0
    if new < old and speed > 0:
        assert isnan(rate) or rate <= speed * 1.25 + 1


def test_uptime_that_went_on_is_no_restart():
    assert not restarted(106_000, 100_000, elapsed_s=60)


def test_uptime_that_fell_is_a_restart():
    assert restarted(500, 100_000, elapsed_s=60)


def test_uptime_that_wrapped_after_497_days_is_no_restart():
    assert not restarted(3_000, (1 << 32) - 3_000, elapsed_s=60)


def test_restart_during_a_long_gap_is_seen_though_the_new_uptime_is_beyond_the_old():
    assert restarted(200_000, 100_000, elapsed_s=3600)


def test_agent_that_refreshes_its_uptime_lazily_did_not_restart():
    assert not restarted(100_000, 100_000, elapsed_s=9)


@given(before=st.integers(0, (1 << 32) - 1), elapsed_s=st.floats(0, 10**6))
def test_exact_uptime_is_never_a_restart_at_any_point_of_the_wrap(before, elapsed_s):
    assert not restarted((before + round(elapsed_s * 100)) % (1 << 32), before, elapsed_s=elapsed_s)
