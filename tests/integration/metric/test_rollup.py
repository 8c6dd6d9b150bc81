"""One track, wherever its samples lie: hot, packed or rolled up."""

from datetime import UTC, datetime

import numpy as np
import pytest

from tests.integration.metric.room import HOUR, MIDNIGHT, MINUTE, poll
from wardkeeper.aggregation.metric import queries, services
from wardkeeper.aggregation.metric.models import Block, Poll

DAY = 24 * HOUR


def at(time_ms):
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def value(minute):
    return float((minute * 37) % 101)


def fill(room, minutes):
    room.store(
        *(poll(MIDNIGHT + m * MINUTE, {"host.load_1m": value(m), "icmp.rtt_ms": 1.0}) for m in minutes)
    )


def track(step_s=None, start=MIDNIGHT, end=MIDNIGHT + 3 * DAY):
    (pk,) = queries.find_series(7, "host.load_1m")
    return queries.window([pk], at(start), at(end), step_s)[pk]


def by_hand(minutes, step_s):
    """bucket -> (mean, low, high)"""
    buckets: dict[int, list[float]] = {}
    for minute in minutes:
        buckets.setdefault(minute * 60 // step_s * step_s, []).append(value(minute))
    return {MIDNIGHT + s * 1000: (np.mean(v), min(v), max(v)) for s, v in buckets.items()}


def found(some):
    return {
        time: (mean, low, high)
        for time, mean, low, high in zip(
            some.times_ms.tolist(), some.values.tolist(), some.low.tolist(), some.high.tolist(), strict=True
        )
    }


def same(left, right):
    assert left.keys() == right.keys()
    for key in left:
        assert left[key] == pytest.approx(right[key])


@pytest.mark.parametrize("step_s", [60, 120, 300, 900, 3600, 7200])
def test_every_step_is_seamless_over_hot_packed_and_rolled(room, step_s):
    minutes = range(1000)
    fill(room, minutes)
    same(found(track(step_s)), by_hand(minutes, step_s))
    services.pack(now_ms=MIDNIGHT + 14 * HOUR)
    services.roll_up(now_ms=MIDNIGHT + 14 * HOUR)
    assert Poll.objects.exists()
    assert Block.objects.filter(step_s=0, is_rolled=True).count() == 2
    assert Block.objects.filter(step_s=0, is_rolled=False).count() == 1
    same(found(track(step_s)), by_hand(minutes, step_s))


def test_a_roll_up_is_made_once_a_window_and_again_after_late_samples(room):
    fill(room, range(0, 360, 2))
    now = MIDNIGHT + 8 * HOUR
    services.pack(now_ms=now)
    assert services.roll_up(now_ms=now) == 1
    assert services.roll_up(now_ms=now) == 0
    fill(room, range(1, 360, 2))
    same(found(track(300)), by_hand(range(360), 300))
    services.pack(now_ms=now)
    assert services.roll_up(now_ms=now) == 1
    same(found(track(300)), by_hand(range(360), 300))
    assert Block.objects.count() == 3


def test_a_late_sample_does_not_replace_a_roll_up_whose_samples_have_expired(room):
    fill(room, range(0, 360, 2))
    now = MIDNIGHT + 8 * HOUR
    services.pack(now_ms=now)
    services.roll_up(now_ms=now)
    services.retain(now_ms=now + 40 * DAY)
    assert not Block.objects.filter(step_s=0).exists()
    fill(room, [1])
    services.pack(now_ms=now + 40 * DAY)
    services.roll_up(now_ms=now + 40 * DAY)
    same(found(track(300)), by_hand(range(0, 360, 2), 300))


def test_days_are_joined_to_hours_and_samples_when_everything_is_asked(room):
    fill(room, range(0, 3 * 1440, 10))
    now = MIDNIGHT + 3 * DAY + 8 * HOUR
    services.pack(now_ms=now)
    services.roll_up(now_ms=now)
    Block.objects.filter(step_s=0, start_ms__lt=MIDNIGHT + 2 * DAY).delete()
    Block.objects.filter(step_s=300, start_ms__lt=MIDNIGHT + DAY).delete()
    some = track()
    hours = [time for time in some.times_ms.tolist() if time < MIDNIGHT + DAY]
    assert hours == [MIDNIGHT + hour * HOUR for hour in range(24)]
    fives = [time for time in some.times_ms.tolist() if MIDNIGHT + DAY <= time < MIDNIGHT + 2 * DAY]
    assert len(fives) == 144
    raw = dict(zip(some.times_ms.tolist(), some.values.tolist(), strict=True))
    assert raw[MIDNIGHT + 2 * DAY + 10 * MINUTE] == value(2 * 1440 + 10)
    assert some.times_ms.tolist() == sorted(set(some.times_ms.tolist()))


def test_unanswered_samples_are_gaps_and_not_zeros(room):
    for minute in range(10):
        answered = float("nan") if minute < 5 else 4.0
        room.store(poll(MIDNIGHT + minute * MINUTE, {"host.load_1m": answered}))
    some = track(300)
    assert np.isnan(some.values[0])
    assert some.values[1] == 4.0
    services.pack(now_ms=MIDNIGHT + 8 * HOUR)
    services.roll_up(now_ms=MIDNIGHT + 8 * HOUR)
    again = track(300)
    np.testing.assert_array_equal(some.values, again.values)
