"""Every captured notification decodes as written beside it; any bytes give a notification or Malformed."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.acquisition.adapters import snmp_trap
from wardkeeper.acquisition.adapters.snmp_trap import ber, decode
from wardkeeper.acquisition.contract import Malformed

SAMPLES = sorted((Path(snmp_trap.__file__).parent / "samples").glob("*.hex"))


def raw_of(sample: Path) -> bytes:
    return bytes.fromhex(sample.read_text("ascii"))


def said(raw: bytes) -> decode.Notification:
    return decode.decode(raw, decode.head(raw))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_sample_decodes_as_written_beside_it(sample: Path):
    notification = said(raw_of(sample))
    assert {
        "kind": notification.kind,
        "agent": notification.agent,
        "inform": notification.is_inform,
        "fields": notification.fields,
    } == json.loads(sample.with_suffix(".json").read_text("utf-8"))


def survives(raw: bytes) -> None:
    try:
        notification = said(raw)
    except Malformed:
        return
    assert notification.kind
    for name, value in notification.fields.items():
        assert value is None or isinstance(value, str | int | float)
        assert "\0" not in f"{name}{value}"
        f"{value}".encode()


@given(st.binary(max_size=300))
def test_any_bytes_give_a_notification_or_malformed(raw: bytes):
    survives(raw)
    for tag in (0x30, 0xA4, 0xA7):
        survives(bytes((tag, min(len(raw), 127))) + raw[:127])


def test_mutated_samples_survive():
    rng = random.Random(4711)
    originals = [raw_of(path) for path in SAMPLES]
    understood = 0
    for _ in range(20_000):
        raw = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 4)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        if rng.random() < 0.2:
            del raw[rng.randrange(len(raw)) :]
        survives(bytes(raw))
        understood += 1
    assert understood == 20_000


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def message(*variables: bytes, version: int = 1, pdu: int = 0xA7, community: bytes = b"public") -> bytes:
    zero = tlv(2, b"\0")
    body = zero + zero + zero + tlv(0x30, b"".join(tlv(0x30, each) for each in variables))
    return tlv(0x30, tlv(2, bytes((version,))) + tlv(4, community) + tlv(pdu, body))


TRAP_OID = tlv(6, bytes.fromhex("2b06010603010104 0100")) + tlv(6, bytes.fromhex("2b0601060301010501"))
NAME = tlv(6, bytes.fromhex("2b060104017b"))


def test_a_trap_made_by_hand_is_understood():
    assert said(message(TRAP_OID, NAME + tlv(2, b"\x05"))).fields["1.3.6.1.4.1.123"] == 5


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "truncated"),
        (b"\x30", "truncated"),
        (b"\x30\x80\x00\x00", "length"),
        (b"\x30\x85\x01\x01\x01\x01\x01", "length"),
        (b"\x30\x84\xff\xff\xff\xff\x02", "truncated"),
        (b"\x04\x02ab", "tag"),
        (message(TRAP_OID) + b"x", "trailing_bytes"),
        (message(TRAP_OID, version=2), "version"),
        (message(TRAP_OID, pdu=0xA0), "not_a_notification"),
        (message(TRAP_OID, pdu=0xA4), "not_a_notification"),
        (message(NAME + tlv(2, b"\1")), "no_trap_oid"),
        (message(TRAP_OID, NAME + tlv(2, b"")), "integer"),
        (message(TRAP_OID, NAME + tlv(2, b"\1" * 10)), "integer"),
        (message(TRAP_OID, NAME + tlv(0x99, b"")), "value_type"),
        (message(TRAP_OID, NAME + tlv(0x40, b"123")), "address"),
        (message(TRAP_OID, tlv(6, b"") + tlv(2, b"\1")), "oid"),
        (message(TRAP_OID, tlv(6, b"\x2b\x80") + tlv(2, b"\1")), "oid"),
        (message(TRAP_OID, tlv(6, b"\x2b" + b"\xff" * 5 + b"\x7f") + tlv(2, b"\1")), "oid"),
        (message(TRAP_OID, tlv(6, b"\x2b" + b"\x01" * 200) + tlv(2, b"\1")), "oid"),
        (message(TRAP_OID, *[NAME + tlv(2, b"\1")] * 600), "too_many_variables"),
    ],
)
def test_what_is_not_a_notification_says_why(raw: bytes, reason: str):
    with pytest.raises(Malformed) as caught:
        said(raw)
    assert caught.value.reason == reason


def test_padding_behind_the_message_is_forgiven():
    assert said(message(TRAP_OID) + b"\0\0").kind == "1.3.6.1.6.3.1.1.5.1"


def test_a_counter_without_its_leading_zero_is_not_negative():
    fields = said(message(TRAP_OID, NAME + tlv(0x41, b"\xff\xff\xff\xff"))).fields
    assert fields["1.3.6.1.4.1.123"] == 4294967295


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ""),
        (b"GigabitEthernet0/1", "GigabitEthernet0/1"),
        (b"padded\0\0", "padded"),
        (b"two\nlines", "two\nlines"),
        ("电池".encode(), "电池"),
        ("电池".encode("gbk"), "电池"),
        (b"\0", ""),
        (bytes.fromhex("001b2cff0011"), "0x001b2cff0011"),
        (bytes.fromhex("07ea030e0c000000"), "0x07ea030e0c000000"),
        (bytes.fromhex("d4b14f99e2c3"), "0xd4b14f99e2c3"),
    ],
)
def test_a_string_is_text_only_if_it_reads_as_text(content: bytes, expected: str):
    assert ber.text(content) == expected


def test_the_answer_to_an_inform_is_the_same_message_as_a_response():
    raw = message(TRAP_OID, pdu=0xA6)
    answer = decode.answer(raw, decode.head(raw))
    assert answer == message(TRAP_OID, pdu=0xA2)
