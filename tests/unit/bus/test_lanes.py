"""Order per key, patience per key, and an honest account of what is done: under any failures."""

import random

from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.bus.contract import Bundle, Envelope, Retry
from wardkeeper.bus.lanes import Item, Lanes

RETRY = Retry(tries=3, first_s=1.0, longest_s=10.0)


def envelope(number: int, key: str) -> Envelope:
    return Envelope("record.opened", str(number), key, b"")


def handle(
    lanes: Lanes, batch: list[Item], fails: set[str], seen: list[str], parked: list[str], *, now: float
) -> None:
    """What a group does with a batch whose messages are tried one by one."""
    blocked: set[tuple[str, str]] = set()
    for index, item in enumerate(batch):
        if item.lane in blocked:
            continue
        if item.envelope.id in fails:
            blocked.add(item.lane)
            followers = [each for each in batch[index + 1 :] if each.lane == item.lane]
            if not lanes.fail(item, followers, now=now):
                parked.append(item.envelope.id)
                lanes.done(item)
        else:
            seen.append(item.envelope.id)
            lanes.done(item)


@given(
    keys=st.lists(st.lists(st.sampled_from("abcd"), max_size=5), min_size=1, max_size=20),
    poison=st.sets(st.integers(0, 60), max_size=8),
    limit=st.integers(1, 7),
    seed=st.integers(0, 1000),
)
def test_every_message_is_handled_or_parked_once_and_each_key_keeps_its_order(keys, poison, limit, seed):
    chance = random.Random(seed)
    lanes = Lanes(RETRY, chance.random)
    fails = {str(number) for number in poison}
    order: dict[str, list[str]] = {}
    number, position, now = 0, 0, 0.0
    seen: list[str] = []
    parked: list[str] = []
    waiting = list(keys)
    while waiting or lanes.ready or lanes.held:
        if waiting and chance.random() < 0.6:
            position += 1
            envelopes = []
            for key in waiting.pop(0):
                envelopes.append(envelope(number, key))
                order.setdefault(key, []).append(str(number))
                number += 1
            lanes.add(Bundle("record", position, tuple(envelopes)))
        batch = lanes.take(limit, now=now)
        handle(lanes, batch, fails, seen, parked, now=now)
        if not batch:
            now += 0.5
    assert sorted(seen + parked, key=int) == [str(each) for each in range(number)]
    for ids in order.values():
        good = [each for each in ids if each not in fails]
        assert [each for each in seen if each in ids] == good
    assert lanes.floors() == {"record": position}


def test_the_floor_never_passes_a_message_that_is_not_done():
    lanes = Lanes(RETRY, lambda: 1.0)
    lanes.add(Bundle("record", 1, (envelope(1, "a"),)))
    lanes.add(Bundle("record", 2, (envelope(2, "b"),)))
    first, second = lanes.take(10, now=0)
    assert lanes.fail(first, [], now=0)
    lanes.done(second)
    assert lanes.floors() == {}
    (again,) = lanes.take(10, now=1.0)
    lanes.done(again)
    assert lanes.floors() == {"record": 2}


def test_a_failed_key_waits_twice_as_long_each_time_while_others_go_on():
    lanes = Lanes(RETRY, lambda: 1.0)
    lanes.add(Bundle("record", 1, (envelope(1, "a"), envelope(2, "b"), envelope(3, "a"))))
    first, other, follower = lanes.take(10, now=0)
    assert lanes.fail(first, [follower], now=0)
    lanes.done(other)
    assert lanes.take(10, now=0.99) == []
    assert lanes.next_due() == 1.0
    again = lanes.take(10, now=1.0)
    assert [item.envelope.id for item in again] == ["1", "3"]
    assert lanes.fail(again[0], again[1:], now=1.0)
    assert lanes.next_due() == 3.0


def test_a_bundle_without_messages_for_us_still_moves_the_floor():
    lanes = Lanes(RETRY, lambda: 1.0)
    lanes.add(Bundle("record", 7, ()))
    assert lanes.floors() == {"record": 7}


def test_a_batch_is_cut_by_bytes_but_never_empty():
    lanes = Lanes(RETRY, lambda: 1.0)
    heavy = tuple(Envelope("collection.samples", str(number), "a", bytes(9_000_000)) for number in range(3))
    lanes.add(Bundle("samples", 1, heavy))
    assert [len(lanes.take(10, now=0)) for _ in range(3)] == [1, 1, 1]
