"""Every sample decodes as written beside it; any bytes give an observation or Malformed."""

import json
import random
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.acquisition.adapters import syslog
from wardkeeper.acquisition.adapters.syslog.decode import decode
from wardkeeper.acquisition.adapters.syslog.stamp import local_stamp
from wardkeeper.acquisition.contract import Malformed

SAMPLES = sorted((Path(syslog.__file__).parent / "samples").glob("*.raw"))
SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 3, 15)


def said(raw: bytes, today: date = TODAY):
    return decode(raw, today=today, zone=SHANGHAI)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_sample_decodes_as_written_beside_it(sample: Path):
    today = date(2026, 1, 2) if sample.stem.startswith("new-year") else TODAY
    assert said(sample.read_bytes(), today) == json.loads(sample.with_suffix(".json").read_text("utf-8"))


def test_there_are_samples_of_every_vendor():
    vendors = {path.stem.split("-")[0] for path in SAMPLES}
    assert {
        "cisco",
        "huawei",
        "h3c",
        "ruijie",
        "linux",
        "windows",
        "rfc5424",
        "chinese",
        "patient",
    } <= vendors


def survives(raw: bytes) -> None:
    try:
        fields = said(raw)
    except Malformed:
        return
    assert 0 <= int(fields["severity"]) <= 7
    assert 0 <= int(fields["facility"]) <= 23
    for name, value in fields.items():
        assert isinstance(value, str | int)
        assert "\0" not in f"{name}{value}"
        # What cannot be encoded cannot be stored.
        f"{name}{value}".encode()


@given(st.binary(max_size=2000))
def test_any_bytes_give_an_observation_or_malformed(raw: bytes):
    survives(raw)


@given(st.binary(max_size=300), st.integers(0, 999))
def test_any_bytes_behind_a_priority_are_understood_somehow(raw: bytes, pri: int):
    survives(b"<%d>" % pri + raw)


@given(st.text(alphabet='[]"\\= ab1@-\n', max_size=200))
def test_any_structured_data_is_understood_or_kept_as_text(text: str):
    survives(f"<13>1 - - - - - {text}".encode())


def test_mutated_samples_survive():
    rng = random.Random(4711)
    originals = [path.read_bytes() for path in SAMPLES]
    for _ in range(5000):
        raw = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(raw) + 1)
            cut = rng.randint(0, 3)
            raw[at : at + cut] = bytes(rng.choices(range(256), k=rng.randint(0, 3)))
        survives(bytes(raw))


@pytest.mark.parametrize("raw", [b"", b"\n", b"\r\n\0", b"   "])
def test_an_empty_line_is_malformed(raw: bytes):
    with pytest.raises(Malformed, match="empty"):
        said(raw)


@pytest.mark.parametrize(
    "raw", [b"\x00\x01\x02", b"\xff\xfe\xfd", b"abc\x07def", b"\x16\x03\x01\x02\x00\x01"]
)
def test_binary_without_priority_is_malformed(raw: bytes):
    with pytest.raises(Malformed, match="not_text"):
        said(raw)


@pytest.mark.parametrize(
    ("stamp", "today", "expected"),
    [
        ("Dec 31 23:59:59", date(2026, 1, 1), "2025-12-31T23:59:59+08:00"),
        ("Jan  1 00:00:01", date(2025, 12, 31), "2026-01-01T00:00:01+08:00"),
        ("Jul  1 00:00:01", date(2026, 1, 1), "2026-07-01T00:00:01+08:00"),
        ("Feb 29 12:00:00", date(2028, 3, 1), "2028-02-29T12:00:00+08:00"),
        ("Feb 29 12:00:00", date(2026, 3, 1), ""),
        ("Mar  1 18:46:11.5", date(2026, 3, 1), "2026-03-01T18:46:11.500000+08:00"),
        ("Mar  1 18:46:11 UTC", date(2026, 3, 1), "2026-03-01T18:46:11+00:00"),
        ("Mar  1 25:46:11", date(2026, 3, 1), ""),
    ],
)
def test_a_stamp_without_year_belongs_to_the_nearest_one(stamp: str, today: date, expected: str):
    assert local_stamp(stamp, today, SHANGHAI) == expected


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-150, 150))
def test_a_stamp_of_the_last_months_comes_back_as_the_day_it_was(today: date, days: int):
    day = date.fromordinal(today.toordinal() + days)
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    stamp = f"{months[day.month - 1]} {day.day:2} 12:00:00"
    assert local_stamp(stamp, today, SHANGHAI).startswith(day.isoformat())


def test_a_long_line_is_not_slow():
    survives(b"<13>1 - - - - - [x" + b' a="b"' * 10_000 + b"] text")
    survives(b"<13>" + b"Mar  1 18:46:11 " * 4000)
