"""What could name a patient goes; what names a device stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.acquisition.scrub import MARK, is_suspect, scrub, scrub_bytes, scrub_named

NAMING = [
    ("PID|1||12345^^^M^MR||ZHANG^SAN||19800101|M", ["12345", "ZHANG", "19800101"]),
    ("x PID|1||12345||LIU|SAN|19800101\rOBX|1|NM|GLU||5.6", ["12345", "LIU", "5.6"]),
    ("sent NK1|1|LI^SI|SPO and IN1|1|A123", ["LI^SI", "A123"]),
    ("escaped #015PID|1||777#015ZXT|1|secretvalue", ["777", "secretvalue"]),
    (r"escaped PID|1||777\rPV1|1|I|W1", ["777", "W1"]),
    ("PatientName=ZHANG^SAN", ["ZHANG", "SAN"]),
    ('"patientName": "Zhang San", "ae": "CT1"', ["Zhang"]),
    ("Patient's Name: Zhang San", ["Zhang", "San"]),
    ("patient_id=00123456;", ["00123456"]),
    ("PATIENT ID: 00123456", ["00123456"]),
    ("(0010,0010) PN [WANG^WU] # 8,1 PatientName", ["WANG"]),
    ("MRN: 4711-22", ["4711"]),
    ("inpatient no: 000123", ["000123"]),
    ("C-FIND for WANG^XIAO^MING failed", ["WANG", "MING"]),
    ("身份证 11010519491231002X", ["11010519491231002X"]),
    ("id 110105194912310021 typed wrongly", ["110105194912310021"]),
    ("回拨 13812345678", ["13812345678"]),
    ("call +86 138-1234-5678 now", ["138-1234-5678"]),
    ("患者：张三", ["张三"]),
    ("病人姓名=欧阳娜娜，床号 12", ["欧阳娜娜"]),
    ("姓名: Zhang San", ["Zhang", "San"]),
    ("住院号：ZY001234", ["ZY001234"]),
    ("门诊号 00123456 取号失败", ["00123456"]),
    ("病历号是889900", ["889900"]),
    ("患者张三丰在窗口", ["张三丰"]),
    ("病人欧阳娜娜", ["欧阳娜娜"]),
    ("患者古丽·买买提挂号失败", ["古丽", "买买提"]),
    ("患者出生日期：1980-01-01", ["1980-01-01"]),
]

HARMLESS = [
    "%LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down",
    "patient monitor 12 offline in ICU",
    "患者数据库连接失败",
    "病人监护仪离线",
    "ADT^A01 message rejected",
    "MSH|^~\\&|HIS|M|LIS|M|20260314||ADT^A01|42|P|2.4",
    "serial 21980107052HG3000123 replaced",
    "epoch 1795372995486 ok",
    "from 10.1.2.3 port 51234 to 10.20.30.40",
    "order 12345678901234567890 is too long to be anybody",
    "fan speed 4500 rpm, 13 V, 1381 errors",
    "Started Session 12 of user root.",
]


@pytest.mark.parametrize(("text", "secrets"), NAMING)
def test_what_could_name_a_patient_is_taken_out(text: str, secrets: list[str]):
    clean = scrub(text)
    assert MARK in clean
    for secret in secrets:
        assert secret not in clean


@pytest.mark.parametrize(("text", "secrets"), NAMING)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_bytes_of_either_encoding_are_cleaned_also_between_binary(
    text: str, secrets: list[str], encoding: str
):
    clean = scrub_bytes(b"\x30\x41\x04\x41" + text.encode(encoding) + b"\xff\x00\xfe")
    for secret in secrets:
        assert secret.encode(encoding) not in clean


@pytest.mark.parametrize("text", HARMLESS)
def test_what_names_a_device_stays(text: str):
    assert scrub(text) == text


def test_a_digit_that_is_a_length_does_not_hide_a_telephone_number():
    assert b"13812345678" not in scrub_bytes(b"\x04513812345678 rings")


def test_a_parameter_named_after_a_patient_loses_its_value_whatever_it_is():
    assert scrub_named("PatientName", "Bob") == MARK
    assert scrub_named("姓名", "Bob") == MARK
    assert scrub_named("StationAETitle", "CT1") == "CT1"


@given(st.text())
def test_scrubbing_twice_is_scrubbing_once_and_never_fails(text: str):
    once = scrub(text)
    assert scrub(once) == once
    if not is_suspect(text):
        assert once == text


@given(st.binary())
def test_any_bytes_can_be_cleaned(raw: bytes):
    assert isinstance(scrub_bytes(raw), bytes)


@pytest.mark.parametrize(
    "text", ["Patient: " + "a " * 20_000, "PID|" * 10_000, "A^" * 30_000, "1" * 60_000, "患者" * 20_000]
)
@pytest.mark.timeout(5)
def test_a_text_made_to_be_slow_is_not(text: str):
    scrub(text)
