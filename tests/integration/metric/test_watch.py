"""Thresholds on stored batches: raised once, cleared once, whatever is repeated, late or restarted."""

import pytest

from tests.integration.metric.room import HOUR, MIDNIGHT, MINUTE, poll
from wardkeeper.aggregation.metric import services
from wardkeeper.aggregation.metric.models import ThresholdRule, ThresholdState
from wardkeeper.aggregation.metric.threshold import BadRule
from wardkeeper.messages import Target


def said(conditions):
    return [(each.fingerprint, each.severity) for each in conditions]


def feed(room, name, values, *, start=0, **more):
    """One poll a minute; returns what was said at each."""
    return [
        said(room.store(poll(MIDNIGHT + (start + at) * MINUTE, {name: value}, **more)))
        for at, value in enumerate(values)
    ]


def test_a_device_that_misses_two_polls_is_raised_and_cleared_once(room):
    assert feed(room, "device.reachable", [1, 0, 0, 0, 1, 1]) == [
        [],
        [],
        [("7:device.reachable:", "major")],
        [],
        [("7:device.reachable:", "cleared")],
        [],
    ]
    assert not ThresholdState.objects.exists()


def test_severity_follows_the_levels(room):
    found = feed(room, "storage.used_share{31}", [0.8, 0.86, 0.9, 0.96, 0.96, 0.94, 0.92, 0.8])
    assert [part for part in found if part] == [
        [("7:storage.used_share:31", "warning")],
        [("7:storage.used_share:31", "major")],
        [("7:storage.used_share:31", "warning")],
        [("7:storage.used_share:31", "cleared")],
    ]
    raised = room.said[0]
    assert raised.parameters["percent"] == 90.0
    assert raised.parameters["limit"] == 0.85
    assert raised.happened_at.timestamp() * 1000 == MIDNIGHT + 2 * MINUTE


def test_the_state_survives_a_restart(room):
    feed(room, "device.reachable", [1, 0])
    room.restart()
    assert feed(room, "device.reachable", [0], start=2) == [[("7:device.reachable:", "major")]]
    room.restart()
    assert feed(room, "device.reachable", [0, 1], start=3) == [[], [("7:device.reachable:", "cleared")]]


def test_another_worker_sees_the_state_that_this_one_left(room):
    feed(room, "device.reachable", [0])
    mine = ThresholdState.objects.get()
    assert mine.progress == [[MIDNIGHT, 1]]
    ThresholdState.objects.update(progress=[[MIDNIGHT - HOUR, 2]], level=1)
    type(mine.feed).objects.update(revision=99)
    assert feed(room, "device.reachable", [1], start=1) == [[("7:device.reachable:", "cleared")]]


def test_repeated_and_older_polls_are_stored_but_not_evaluated(room):
    feed(room, "device.reachable", [1, 0])
    assert feed(room, "device.reachable", [0], start=1) == [[]]
    assert feed(room, "device.reachable", [0], start=-30) == [[]]
    assert feed(room, "device.reachable", [0], start=2) == [[("7:device.reachable:", "major")]]
    assert feed(room, "device.reachable", [1], start=-10) == [[]]


def test_a_batch_that_holds_a_whole_outage_says_both_ends(room):
    batch = [
        poll(MIDNIGHT + at * MINUTE, {"device.reachable": value})
        for at, value in enumerate([1, 0, 0, 0, 1, 0, 0])
    ]
    assert [severity for _, severity in said(room.store(*batch))] == ["major", "cleared", "major"]


def test_an_unplugged_port_is_silent_and_a_port_that_was_up_is_not(room):
    ports = [f"interface.down{{{port}}}" for port in (1, 2)]
    assert room.store(poll(MIDNIGHT, dict(zip(ports, [1, 0], strict=True)))) == []
    assert ThresholdState.objects.get().is_armed is False
    room.restart()
    assert said(room.store(poll(MIDNIGHT + MINUTE, dict(zip(ports, [1, 1], strict=True))))) == [
        ("7:interface.down:2", "major")
    ]
    assert said(room.store(poll(MIDNIGHT + 2 * MINUTE, dict(zip(ports, [0, 0], strict=True))))) == [
        ("7:interface.down:2", "cleared")
    ]
    assert said(room.store(poll(MIDNIGHT + 3 * MINUTE, dict(zip(ports, [1, 0], strict=True))))) == [
        ("7:interface.down:1", "major")
    ]


def test_a_rule_that_is_switched_on_later_waits_until_each_port_was_seen_up(room):
    rule = ThresholdRule.objects.get(name="interface.down")
    services.change_rule(rule.pk, is_enabled=False)
    feed(room, "interface.down{1}", [1, 1])
    services.change_rule(rule.pk, is_enabled=True)
    found = feed(room, "interface.down{1}", [1, 1, 0, 1], start=2)
    assert found == [[], [], [], [("7:interface.down:1", "major")]]


def test_a_rule_that_is_switched_off_clears_what_it_had_raised(room):
    feed(room, "ups.on_battery", [1])
    services.change_rule(ThresholdRule.objects.get(name="ups.on_battery").pk, is_enabled=False)
    assert feed(room, "ups.on_battery", [1, 1], start=1) == [[("7:ups.on_battery:", "cleared")], []]
    assert not ThresholdState.objects.exists()


def test_a_narrower_rule_takes_over_without_clearing(room):
    feed(room, "host.memory_share", [0.96, 0.96])
    services.create_rule(
        name="memory of 7",
        code="host.memory_share",
        metric="host.memory_share",
        ci=7,
        levels=[["critical", 0.9, 0.9]],
    )
    found = feed(room, "host.memory_share", [0.96, 0.5], start=2)
    assert found == [[("7:host.memory_share:", "critical")], [("7:host.memory_share:", "cleared")]]


def test_a_rule_that_contradicts_itself_is_not_saved(room):
    rule = ThresholdRule.objects.get(name="ups.on_battery")
    with pytest.raises(BadRule):
        services.change_rule(rule.pk, levels=[["major", 1, 2]])
    rule.refresh_from_db()
    assert rule.levels == [["major", 1, 1]]


def test_loading_the_shipped_rules_again_leaves_a_hospitals_changes(room):
    rule = ThresholdRule.objects.get(name="storage.used_share")
    services.change_rule(rule.pk, levels=[["major", 0.99, 0.98]])
    assert services.load_defaults() == 0
    rule.refresh_from_db()
    assert rule.levels == [["major", 0.99, 0.98]]


def test_a_silent_feed_is_raised_once_and_cleared_by_a_current_poll(room):
    feed(room, "device.reachable", [1, 1])
    last = MIDNIGHT + MINUTE
    assert services.find(now_ms=last + 3 * MINUTE) == []
    assert said(services.find(now_ms=last + 3 * MINUTE + 1)) == [("7:device.no_data:t7", "major")]
    assert services.find(now_ms=last + 9 * MINUTE) == []
    assert feed(room, "device.reachable", [1, 1], start=20) == [[("7:device.no_data:t7", "cleared")], []]


def test_a_replay_after_an_outage_neither_clears_nor_raises_again(room):
    feed(room, "device.reachable", [1])
    assert len(services.find(now_ms=MIDNIGHT + HOUR)) == 1
    for minute in range(1, 61):  # an hour of spooled polls within a minute
        now = MIDNIGHT + HOUR + minute * 1000
        conditions = room.store(poll(MIDNIGHT + minute * MINUTE, {"device.reachable": 1}), now_ms=now)
        assert (len(conditions) == 1) == (minute == 58)
        assert services.find(now_ms=now) == []


def test_nothing_is_raised_while_the_collector_catches_up(room):
    for ci in (7, 8):
        room.store(poll(MIDNIGHT, {"device.reachable": 1}, ci=ci, target=f"t{ci}"))
    now = MIDNIGHT + HOUR
    room.store(poll(MIDNIGHT + MINUTE, {"device.reachable": 1}), now_ms=now)
    assert services.find(now_ms=now + 1000) == []
    assert len(services.find(now_ms=now + 120_000)) == 2


def test_a_target_that_never_answered_counts_from_its_assignment(room):
    targets = [Target(id="t9", ci=9, adapter="icmp", interval_s=60, config={})]
    assert services.expect("north", targets, now_ms=MIDNIGHT) == []
    assert services.find(now_ms=MIDNIGHT + 2 * MINUTE) == []
    assert said(services.find(now_ms=MIDNIGHT + 4 * MINUTE)) == [("9:device.no_data:t9", "major")]


def test_a_target_that_is_no_longer_polled_is_no_longer_missed(room):
    targets = [Target(id="t9", ci=9, adapter="icmp", interval_s=60, config={})]
    services.expect("north", targets, now_ms=MIDNIGHT)
    services.find(now_ms=MIDNIGHT + 4 * MINUTE)
    assert said(services.expect("north", [], now_ms=MIDNIGHT + 5 * MINUTE)) == [
        ("9:device.no_data:t9", "cleared")
    ]
    assert services.find(now_ms=MIDNIGHT + HOUR) == []
    services.expect("north", targets, now_ms=MIDNIGHT + HOUR)
    assert services.find(now_ms=MIDNIGHT + HOUR + MINUTE) == []
    assert len(services.find(now_ms=MIDNIGHT + HOUR + 4 * MINUTE)) == 1
