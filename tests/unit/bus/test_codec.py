"""Messages come back as they went, and what is not understood is said, never guessed."""

import contextlib
import dataclasses
from datetime import UTC

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardkeeper.bus.bundle import (
    BUNDLE_BYTES,
    BUNDLE_MESSAGES,
    BrokenBundle,
    family_of,
    lanes,
    pack,
    partition_of,
    unpack,
)
from wardkeeper.bus.codec import Undecodable, seal, unseal
from wardkeeper.bus.contract import Envelope, MessageTooLarge, MessageUnencodable
from wardkeeper.messages import TOPICS, ContactLogged, Message, ObservationReceived

# As a message may hold them: 64 bits, and text without half characters.
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(int, st.integers(-(2**63), 2**64 - 1))
st.register_type_strategy(str, st.text(st.characters(exclude_categories=["Cs"]), max_size=20))


def messages_of(kind: type[Message]) -> st.SearchStrategy[Message]:
    given_fields = {"happened_at": st.datetimes(timezones=st.just(UTC)), "id": st.uuids().map(str)}
    for field in dataclasses.fields(kind):
        if field.name.endswith("_at") and field.name not in given_fields:
            moments = st.datetimes(timezones=st.just(UTC))
            given_fields[field.name] = (
                moments if field.default is dataclasses.MISSING else st.none() | moments
            )
    return st.builds(kind, **given_fields)


@pytest.mark.parametrize("topic", sorted(TOPICS))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_kind_of_message_comes_back_equal(topic, data):
    message = data.draw(messages_of(TOPICS[topic]))
    assert unseal(seal(message)) == message


@given(payload=st.binary(max_size=200), topic=st.sampled_from([*sorted(TOPICS), "no.such"]))
def test_any_bytes_are_read_or_refused_never_a_crash(payload, topic):
    with contextlib.suppress(Undecodable):
        unseal(Envelope(topic, "id", "key", payload))


def test_an_unknown_topic_or_field_is_refused_by_name():
    good = seal(ContactLogged(contact=1, record=None, channel="portal"))
    with pytest.raises(Undecodable, match=r"unknown topic 'desk\.gone'"):
        unseal(dataclasses.replace(good, topic="desk.gone"))
    fields = msgspec.msgpack.decode(good.payload) | {"mood": "blue"}
    with pytest.raises(Undecodable, match="unknown field mood"):
        unseal(dataclasses.replace(good, payload=msgspec.msgpack.encode(fields)))


def test_a_field_that_an_older_sender_did_not_know_gets_its_default():
    good = seal(TOPICS["record.assigned"](**_record(), actor=None, team=7))
    fields = msgspec.msgpack.decode(good.payload)
    del fields["team"]
    assert unseal(dataclasses.replace(good, payload=msgspec.msgpack.encode(fields))).team is None


def test_a_message_over_the_limit_is_refused():
    with pytest.raises(MessageTooLarge, match="at most 900000"):
        seal(ContactLogged(contact=1, record=None, channel="x" * 900_000))


@pytest.mark.parametrize("value", [2**64, "\ud800", object()])
def test_what_msgpack_cannot_say_is_refused_by_name(value):
    with pytest.raises(MessageUnencodable, match=r"collection\.observation "):
        seal(ObservationReceived(collector="c", adapter="a", source="s", kind="k", fields={"counter": value}))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_bundle_or_refused(raw):
    with contextlib.suppress(BrokenBundle):
        unpack(raw)


envelopes = st.lists(
    st.builds(
        Envelope,
        topic=st.sampled_from(["record.opened", "record.moved", "alarm.raised", "collection.samples"]),
        id=st.uuids().map(str),
        key=st.sampled_from("abcdefgh"),
        payload=st.binary(max_size=20),
    ),
    max_size=60,
)


@given(envelopes)
def test_bundling_keeps_every_message_and_the_order_of_each_key_in_its_family(sent):
    stored = {
        lane: [each for bundle in bundles for each in unpack(pack(bundle[0].topic, bundle))]
        for lane, bundles in lanes(sent).items()
    }
    assert sorted(each.id for lane in stored.values() for each in lane) == sorted(each.id for each in sent)
    for each in sent:
        family, key = family_of(each.topic), each.key
        before = [one for one in sent if family_of(one.topic) == family and one.key == key]
        after = [one for one in stored[family, partition_of(key)] if one.key == key]
        assert after == before


def test_two_facts_of_many_records_make_two_bundles_per_lane():
    sent = [
        Envelope(topic, f"{record}-{topic}", str(record), b"")
        for record in range(200)
        for topic in ("record.opened", "record.assigned")
    ]
    assert {len(bundles) for bundles in lanes(sent).values()} == {2}


def test_a_bundle_is_bounded_in_messages_and_bytes():
    many = [Envelope("record.opened", str(number), "one", b"") for number in range(BUNDLE_MESSAGES + 1)]
    (bundles,) = lanes(many).values()
    assert [len(each) for each in bundles] == [BUNDLE_MESSAGES, 1]
    heavy = [Envelope("record.opened", str(number), "one", bytes(BUNDLE_BYTES // 2)) for number in range(3)]
    (bundles,) = lanes(heavy).values()
    assert [len(each) for each in bundles] == [2, 1]


def _record() -> dict[str, object]:
    return {
        "record": 1,
        "number": "20260101-INC-0001",
        "kind": "incident",
        "version": 1,
        "hospital": 1,
        "place_path": "1.",
        "state": "new",
        "priority": 3,
    }
