"""The store keeps every sample once, whatever order and however often it comes."""

from datetime import UTC, datetime

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.metric.room import HOUR, MIDNIGHT, MINUTE, poll, polls
from wardkeeper.aggregation.metric import queries, services
from wardkeeper.aggregation.metric.catalogue import BadSeries
from wardkeeper.aggregation.metric.models import Block, Feed, Layout, Poll, RetentionRule, Series

WIDE = [
    "interface.in_octets{1}",
    "interface.in_octets{2}",
    "host.cpu_share",
    "icmp.rtt_ms",
    "interface.oper_up{1}",
]


def at(time_ms):
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def wide(minute, *, ci=7):
    """A device whose counters grow and whose gauges tremble, the same for the same minute."""
    return dict(
        zip(
            WIDE,
            [
                1e12 + 7 * minute**2,
                5e6 + minute,
                round(0.2 + minute % 7 / 100, 2),
                1.37 + minute / 3,
                minute % 2,
            ],
            strict=True,
        )
    )


def raw(name="icmp.rtt_ms", *, ci=7, start=MIDNIGHT - HOUR, end=MIDNIGHT + 100 * HOUR):
    metric, _, instance = name.partition("{")
    (series,) = queries.find_series(ci, metric, instance.rstrip("}"))
    track = queries.window([series], at(start), at(end))[series]
    return dict(zip(track.times_ms.tolist(), track.values.tolist(), strict=True))


def fill(room, minutes, *, ci=7, start=MIDNIGHT):
    for minute in minutes:
        room.store(poll(start + minute * MINUTE, wide(minute), ci=ci, target=f"t{ci}"))


def expected(name, minutes, *, start=MIDNIGHT):
    return {start + minute * MINUTE: wide(minute)[name] for minute in minutes}


def test_what_was_stored_is_read_back_exactly(room):
    fill(room, range(90))
    for name in WIDE:
        assert raw(name) == expected(name, range(90))
    assert Poll.objects.filter(base_ms=None).count() < 10, "most polls are relative to the one before"


def test_odd_values_survive_the_store(room):
    odd = [float("inf"), float("-inf"), -0.0, 5e-324, 1.1]
    room.store(poll(MIDNIGHT, dict(zip(WIDE, odd, strict=True))))
    found = np.array([raw(name)[MIDNIGHT] for name in WIDE])
    assert np.array_equal(found.view(np.uint64), np.array(odd).view(np.uint64))


def test_a_repeated_batch_changes_nothing(room):
    batch = [poll(MIDNIGHT + minute * MINUTE, wide(minute)) for minute in range(5)]
    room.store(*batch)
    before = list(Poll.objects.order_by("time_ms").values_list("time_ms", "base_ms", "data"))
    room.store(*batch)
    room.restart()
    room.store(*batch[2:], *batch)
    after = list(Poll.objects.order_by("time_ms").values_list("time_ms", "base_ms", "data"))
    assert [tuple(map(bytes, row[2:])) for row in before] == [tuple(map(bytes, row[2:])) for row in after]
    assert Feed.objects.get().polled_ms == MIDNIGHT + 4 * MINUTE


def test_of_two_contents_for_one_key_the_first_is_kept(room):
    room.store(poll(MIDNIGHT, wide(0)))
    room.store(poll(MIDNIGHT, wide(5)))
    fill(room, [1, 2])
    assert raw() == expected("icmp.rtt_ms", range(3))


def test_late_and_disordered_polls_find_their_place(room):
    fill(room, [0, 1, 2, 10, 11])
    fill(room, [5, 4, 3])
    fill(room, [12])
    room.store(polls([MIDNIGHT + minute * MINUTE for minute in range(6, 10)], {
        name: [wide(minute)[name] for minute in range(6, 10)] for name in WIDE
    }))  # fmt: skip
    assert raw() == expected("icmp.rtt_ms", range(13))
    assert list(raw()) == sorted(raw())


def test_a_restarted_worker_writes_polls_that_stand_alone(room):
    fill(room, range(3))
    room.restart()
    fill(room, range(3, 6))
    assert Poll.objects.get(time_ms=MIDNIGHT + 3 * MINUTE).base_ms is None
    assert Poll.objects.get(time_ms=MIDNIGHT + 4 * MINUTE).base_ms == MIDNIGHT + 3 * MINUTE
    assert raw() == expected("icmp.rtt_ms", range(6))


def test_a_worker_that_was_overtaken_by_another_does_not_build_on_its_own_last_poll(room):
    fill(room, range(3))
    Feed.objects.update(polled_ms=MIDNIGHT + 4 * MINUTE)  # as if another worker had stored two more
    fill(room, [5])
    assert Poll.objects.get(time_ms=MIDNIGHT + 5 * MINUTE).base_ms is None


def test_a_transaction_that_is_rolled_back_leaves_no_base_behind(room, django_capture_on_commit_callbacks):
    fill(room, range(2))
    with django_capture_on_commit_callbacks(execute=False):  # the commit never happens
        services.store([poll(MIDNIGHT + 2 * MINUTE, wide(2))], now_ms=MIDNIGHT + 2 * MINUTE)
    Poll.objects.filter(time_ms=MIDNIGHT + 2 * MINUTE).delete()
    Feed.objects.update(polled_ms=MIDNIGHT + MINUTE)
    fill(room, [3])
    assert Poll.objects.get(time_ms=MIDNIGHT + 3 * MINUTE).base_ms == MIDNIGHT + MINUTE
    assert raw() == expected("icmp.rtt_ms", [0, 1, 3])


def test_polls_of_a_wrong_clock_are_kept_and_do_not_make_true_ones_late(room):
    fill(room, [0])
    room.store(poll(MIDNIGHT + 50 * HOUR, wide(9)), now_ms=MIDNIGHT + MINUTE)
    fill(room, [1, 2])
    assert Feed.objects.get().polled_ms == MIDNIGHT + 2 * MINUTE
    assert raw() == expected("icmp.rtt_ms", range(3)) | {MIDNIGHT + 50 * HOUR: wide(9)["icmp.rtt_ms"]}


def test_a_device_that_changes_its_columns_keeps_one_history_per_series(room):
    fill(room, [0, 1])
    room.store(poll(MIDNIGHT + 2 * MINUTE, {"device.reachable": 0.0}))
    room.store(poll(MIDNIGHT + 3 * MINUTE, {"icmp.rtt_ms": 5.0, "device.reachable": 1.0}))
    assert list(raw().items())[2:] == [(MIDNIGHT + 3 * MINUTE, 5.0)]
    assert list(raw("device.reachable").values()) == [0.0, 1.0]
    assert Layout.objects.count() == 3
    assert Series.objects.count() == 6


def test_two_targets_of_one_ci_may_poll_in_the_same_millisecond(room):
    room.store(
        poll(MIDNIGHT, {"icmp.rtt_ms": 1.0}, target="a"), poll(MIDNIGHT, {"http.time_ms": 2.0}, target="b")
    )
    assert raw() == {MIDNIGHT: 1.0}
    assert raw("http.time_ms") == {MIDNIGHT: 2.0}


@pytest.mark.parametrize(
    ("series", "times", "values", "error"),
    [
        ("icmp.rtt_ms", (1, 2), b"\0" * 8, services.BadSamples),
        ("icmp.rtt_ms", (2, 1), b"\0" * 16, services.BadSamples),
        ("icmp.rtt_ms", (), b"", services.BadSamples),
        ("icmp.rtt_ms\nicmp.rtt_ms", (1,), b"\0" * 16, BadSeries),
        ("Not a series!", (1,), b"\0" * 8, BadSeries),
        ("", (1,), b"", BadSeries),
    ],
)
def test_a_message_that_contradicts_itself_is_refused_as_a_whole(room, series, times, values, error):
    good = poll(MIDNIGHT, wide(0))
    bad = type(good)(
        collector="c", target="x", ci=8, series=series, times_ms=times, values=values, interval_s=60.0
    )
    with pytest.raises(error):
        services.store([good, bad], now_ms=MIDNIGHT)


def test_statements_do_not_grow_with_the_batch(room):
    def batch(size, minute):
        return [
            poll(MIDNIGHT + minute * MINUTE, wide(minute) | {"device.reachable": 0.0}, ci=ci, target=f"t{ci}")
            for ci in range(size)
        ]

    counts = []
    for minute, size in enumerate([200, 200, 200, 2, 200]):
        with CaptureQueriesContext(
            connection,
        ) as statements:
            room.store(*batch(size, minute))
        counts.append(len(statements))
    first, raising, steady, few, _ = counts
    assert first <= 16, "everything is new: feeds, series, layouts, rules, states"
    assert raising <= 9
    assert steady == few <= 6


def test_packing_changes_nothing_for_a_reader(room):
    fill(room, range(0, 500, 3))
    before = {name: raw(name) for name in WIDE}
    packed = services.pack(now_ms=MIDNIGHT + 10 * HOUR)
    assert packed == len(range(0, 500, 3))
    assert not Poll.objects.exists()
    assert Block.objects.filter(step_s=0).count() == 2
    assert (
        {name: raw(name) for name in WIDE}
        == before
        == {name: expected(name, range(0, 500, 3)) for name in WIDE}
    )


def test_only_hours_that_are_over_are_packed(room):
    fill(room, range(180))
    services.pack(now_ms=MIDNIGHT + 2 * HOUR + 4 * MINUTE)
    assert Poll.objects.order_by("time_ms").values_list("time_ms", flat=True)[0] == MIDNIGHT + HOUR
    assert raw() == expected("icmp.rtt_ms", range(180))
    services.pack(now_ms=MIDNIGHT + 3 * HOUR)
    assert raw() == expected("icmp.rtt_ms", range(180))
    assert Block.objects.filter(step_s=0).count() == 1, "the window's block grows"


def test_repeated_and_late_polls_after_packing_are_merged(room):
    fill(room, range(0, 60, 2))
    services.pack(now_ms=MIDNIGHT + 3 * HOUR)
    fill(room, range(10))
    assert raw() == expected("icmp.rtt_ms", [*range(10), *range(10, 60, 2)])
    services.pack(now_ms=MIDNIGHT + 3 * HOUR)
    assert raw() == expected("icmp.rtt_ms", [*range(10), *range(10, 60, 2)])
    assert Block.objects.filter(step_s=0).count() == 1


def test_a_poll_is_never_relative_to_a_packed_one_even_if_the_clock_went_back(room):
    fill(room, range(0, 60, 2))
    services.pack(now_ms=MIDNIGHT + 3 * HOUR)
    fill(room, [59])
    assert raw() == expected("icmp.rtt_ms", [*range(0, 60, 2), 59])


def test_the_latest_values_are_known_hot_packed_and_after_a_change_of_columns(room):
    fill(room, range(40))
    names = {info.id: info for info in queries.series_of(7)}

    def newest():
        return {names[pk].metric + names[pk].instance: found for pk, found in queries.latest(7).items()}

    assert newest()["icmp.rtt_ms"] == (MIDNIGHT + 39 * MINUTE, wide(39)["icmp.rtt_ms"])
    services.pack(now_ms=MIDNIGHT + 3 * HOUR)
    assert newest()["icmp.rtt_ms"] == (MIDNIGHT + 39 * MINUTE, wide(39)["icmp.rtt_ms"])
    room.store(poll(MIDNIGHT + 3 * HOUR, {"icmp.rtt_ms": 9.0}))
    assert newest()["icmp.rtt_ms"] == (MIDNIGHT + 3 * HOUR, 9.0)


def test_an_empty_store_answers_with_nothing(room):
    assert queries.series_of(7) == []
    assert queries.latest(7) == {}
    assert queries.window([], at(MIDNIGHT), at(MIDNIGHT + HOUR)) == {}
    assert queries.top("icmp.rtt_ms", 5, at(MIDNIGHT), at(MIDNIGHT + HOUR)) == []
    assert (
        services.pack(now_ms=MIDNIGHT)
        == services.roll_up(now_ms=MIDNIGHT)
        == services.retain(now_ms=MIDNIGHT)
        == 0
    )


def test_the_busiest_series_come_first(room):
    for ci, level in ((1, 10.0), (2, 30.0), (3, 20.0)):
        room.store(
            *(
                poll(MIDNIGHT + m * MINUTE, {"icmp.rtt_ms": level + m}, ci=ci, target=f"t{ci}")
                for m in range(3)
            )
        )
    ranks = queries.top("icmp.rtt_ms", 2, at(MIDNIGHT), at(MIDNIGHT + HOUR))
    assert [(rank.ci, rank.mean, rank.high) for rank in ranks] == [(2, 31.0, 32.0), (3, 21.0, 22.0)]
    seen = queries.top("icmp.rtt_ms", 2, at(MIDNIGHT), at(MIDNIGHT + HOUR), cis=[1])
    assert [rank.ci for rank in seen] == [1]


def test_series_are_described_in_the_order_of_their_numbers(room):
    room.store(poll(MIDNIGHT, {f"interface.in_bps{{{port}}}": 1.0 for port in (10, 9, 1)}))
    assert [(info.instance, info.unit, info.kind) for info in queries.series_of(7)] == [
        ("1", "bit/s", "gauge"),
        ("9", "bit/s", "gauge"),
        ("10", "bit/s", "gauge"),
    ]


def test_retention_follows_the_rule_of_each_metric(room):
    RetentionRule.objects.create(position=1, pattern="icmp.*", raw_days=1, five_minute_days=2, hour_days=3)
    fill(room, range(0, 360, 5))
    now = MIDNIGHT + 12 * HOUR
    services.pack(now_ms=now)
    services.roll_up(now_ms=now)
    cpu, rtt = queries.find_series(7, "host.cpu_share")[0], queries.find_series(7, "icmp.rtt_ms")[0]

    def count(pk, step_s=None):
        return len(queries.window([pk], at(MIDNIGHT), at(MIDNIGHT + 6 * HOUR), step_s)[pk].times_ms)

    assert (count(cpu), count(rtt)) == (72, 72)
    services.retain(now_ms=now + 26 * HOUR)
    assert count(cpu) == 72
    assert count(rtt, 300) == count(rtt) == 72, "what is left of it is the five-minute roll-up"
    services.retain(now_ms=now + 4 * 24 * HOUR)
    assert count(rtt, 300) == 0
    assert count(rtt, 3600) == 6
    assert count(rtt) == 6
    services.retain(now_ms=now + 3000 * 24 * HOUR)
    assert not Block.objects.exists()
