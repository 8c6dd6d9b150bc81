"""The algebra of limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.aggregation.metric import threshold
from wardkeeper.aggregation.metric.threshold import BadRule, Level, Rule

MINUTE = 60_000
storage = Rule(
    1, "storage.used_share", "storage.used_share", (Level("warning", 0.85, 0.83), Level("major", 0.95, 0.93))
)
days = Rule(
    2,
    "tls.days_left",
    "tls.days_left",
    (Level("warning", 30, 30), Level("minor", 14, 14), Level("major", 7, 7), Level("critical", 0, 0)),
    is_above=False,
)
port = Rule(3, "interface.down", "interface.down", (Level("major", 1, 1),), arm_after_ok=True)
cpu = Rule(4, "host.cpu_share", "host.cpu_share", (Level("warning", 0.9, 0.8),), for_s=600)
reach = Rule(5, "device.reachable", "device.reachable", (Level("major", 0, 0),), is_above=False, polls=2)


def levels(rule, values, state=None, start=MINUTE):
    state = state or threshold.unseen(rule)
    found = []
    for at, value in enumerate(values):
        state = threshold.step(rule, state, time_ms=start + at * MINUTE, value=value)
        found.append(state.level)
    return found


def test_a_level_holds_until_its_own_clear_limit():
    assert levels(storage, [0.8, 0.86, 0.84, 0.82]) == [0, 1, 1, 0]


def test_a_fall_from_the_worst_level_stops_at_the_milder_one():
    assert levels(storage, [0.96, 0.94, 0.92, 0.84, 0.8]) == [2, 2, 1, 1, 0]


def test_below_means_below():
    assert levels(days, [40, 30, 14, 8, 7, 0, -3, 365]) == [0, 1, 2, 2, 3, 4, 4, 0]


def test_an_unplugged_port_stays_silent_until_it_was_seen_up():
    assert levels(port, [1, 1, 0, 1, 0]) == [0, 0, 0, 1, 0]


def test_a_level_with_a_duration_needs_an_unbroken_run():
    assert levels(cpu, [0.95] * 10 + [0.85] + [0.95] * 11 + [0.7]) == [0] * 21 + [1, 0]


def test_one_missed_poll_is_no_outage():
    assert levels(reach, [1, 0, 1, 0, 0, 0, 1]) == [0, 0, 0, 0, 1, 1, 0]


def test_a_missing_answer_changes_nothing():
    assert levels(reach, [0, np.nan, 0, np.nan, 1]) == [0, 0, 1, 1, 0]


values = st.one_of(st.floats(-2, 3), st.just(float("nan")), st.sampled_from([0.83, 0.85, 0.93, 0.95]))
any_rule = st.builds(
    lambda limits, above, polls, for_s, arm: Rule(
        9,
        "c",
        "m",
        tuple(
            Level(severity, *(pair if above else (-pair[0], -pair[1])))
            for severity, pair in zip(threshold.SEVERITIES, limits, strict=False)
        ),
        is_above=above,
        polls=polls,
        for_s=for_s,
        arm_after_ok=arm,
    ),
    st.lists(st.tuples(st.floats(-1, 2), st.floats(0, 1)), min_size=1, max_size=4).map(
        lambda pairs: sorted((at, at - band) for at, band in pairs)
    ),
    st.booleans(),
    st.integers(1, 4),
    st.sampled_from([0, 60, 200]),
    st.booleans(),
)


@given(any_rule, st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 4))
def test_a_level_never_changes_inside_a_band(rule, shares, begin):
    """Every value lies in the band of the level held: at or beyond its clear limit, short of any higher raise limit."""
    held = min(begin, len(rule.levels))
    if held == 0:
        return
    low = max(rule.signed(rule.levels[held - 1].clear_at), -100)
    above = [rule.signed(level.raise_at) for level in rule.levels[held:]]
    high = min(above, default=low + 1)
    if high <= low:
        return
    state = threshold.State(held, True, (0,) * len(rule.levels), (0,) * len(rule.levels))
    for at, share in enumerate(shares):
        value = low + share * (high - low)
        if value >= high:
            continue
        state = threshold.step(
            rule, state, time_ms=(at + 1) * MINUTE, value=value if rule.is_above else -value
        )
        assert state.level == held


@given(any_rule, st.lists(values, max_size=40))
def test_a_level_is_never_taken_before_its_run_is_long_enough(rule, series):
    state, since = threshold.unseen(rule), []
    for at, value in enumerate(series):
        before = state.level
        state = threshold.step(rule, state, time_ms=(at + 1) * MINUTE, value=value)
        if value == value:  # noqa: PLR0124 - NaN is no sample
            since.append((at + 1, rule.signed(value)))
        if state.level > before:
            limit = rule.signed(rule.levels[state.level - 1].raise_at)
            run = 0
            for _, signed in reversed(since):
                if signed < limit:
                    break
                run += 1
            assert run >= rule.polls
            assert (since[-1][0] - since[-run][0]) * 60 >= rule.for_s


@given(any_rule, st.lists(values, max_size=40))
def test_a_rule_that_waits_for_ok_is_silent_until_then(rule, series):
    state, seen = threshold.unseen(rule), not rule.arm_after_ok
    for at, value in enumerate(series):
        state = threshold.step(rule, state, time_ms=(at + 1) * MINUTE, value=value)
        seen = seen or rule.signed(value) < rule.signed(rule.levels[0].raise_at)
        assert seen or state.level == 0


@given(any_rule, st.lists(values, max_size=30), st.integers(0, 30))
def test_a_state_that_was_stored_and_read_goes_on_the_same(rule, series, cut):
    straight = state = threshold.unseen(rule)
    for at, value in enumerate(series):
        straight = threshold.step(rule, straight, time_ms=(at + 1) * MINUTE, value=value)
        if at == cut:
            state = threshold.decode_state(
                state.level, state.is_armed, threshold.encode_progress(state), rule
            )
        if threshold.is_well(state):
            state = threshold.well(rule)
        state = threshold.step(rule, state, time_ms=(at + 1) * MINUTE, value=value)
    assert state == straight


@given(any_rule, st.lists(st.lists(values, min_size=1, max_size=6), min_size=1, max_size=8))
def test_checks_that_are_no_suspects_and_have_no_state_would_not_change(rule, batches):
    """What the batch comparison leaves out is exactly what single steps would not have moved."""
    checks = threshold.compile_checks([("m", "")], [rule])
    for batch in batches:
        matrix = np.array(batch)[:, None]
        if not len(threshold.suspects([(checks, matrix)])[0]):
            state, changes = threshold.follow(
                checks,
                0,
                threshold.well(rule),
                times_ms=[MINUTE * (at + 1) for at in range(len(batch))],
                values=matrix,
            )
            assert threshold.is_well(state)
            assert not changes


def test_suspects_are_found_per_message_in_a_batch_of_many_layouts():
    wide = threshold.compile_checks([("interface.down", str(at)) for at in range(4)], [port])
    narrow = threshold.compile_checks([("host.cpu_share", "")], [cpu])
    none = threshold.compile_checks([("device.uptime_s", "")], [port, cpu])
    found = threshold.suspects(
        [
            (wide, np.array([[0.0, 1, 0, 0], [0, 0, 0, 1]])),
            (none, np.array([[5.0]])),
            (narrow, np.array([[0.1]])),
            (narrow, np.array([[0.95]])),
        ]
    )
    assert [part.tolist() for part in found] == [[1, 3], [], [], [0]]


def test_the_narrowest_rule_of_a_code_applies():
    general = Rule(1, "c", "m", (Level("warning", 1, 1),))
    single = Rule(2, "c", "m", (Level("critical", 2, 2),), instance="eth*", narrowness=4)
    other = Rule(3, "d", "m", (Level("minor", 3, 3),))
    checks = threshold.compile_checks([("m", "eth0"), ("m", "lo")], [general, single, other])
    assert [
        (column, rule.id) for column, rule in zip(checks.columns.tolist(), checks.rules, strict=True)
    ] == [
        (0, 2),
        (0, 3),
        (1, 1),
        (1, 3),
    ]


@pytest.mark.parametrize(
    "levels",
    [
        (),
        (Level("warning", 1, 2),),
        (Level("major", 1, 1), Level("warning", 2, 2)),
        (Level("warning", 2, 2), Level("major", 1, 1)),
        (Level("loud", 1, 1),),
        (Level("warning", float("nan"), 1),),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(levels):
    with pytest.raises(BadRule):
        Rule(1, "c", "m", levels)
