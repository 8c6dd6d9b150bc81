from math import isnan

from tests.collected import Collected, device
from wardkeeper.acquisition.columns import Columns
from wardkeeper.acquisition.text import text
from wardkeeper.messages import SamplesCollected


def test_columns_become_one_message_of_names_and_little_endian_floats():
    columns, emit = Columns(), Collected()
    columns.add("device.reachable", 1)
    columns.add("interface.in_octets", 2.5, "3")
    columns.add("snmp.response_ms", None)
    columns.emit(device({}, target="x"), emit, time_ms=1000)
    (message,) = emit.messages
    assert isinstance(message, SamplesCollected)
    assert message.series == "device.reachable\ninterface.in_octets{3}\nsnmp.response_ms"
    assert message.values[:8] == b"\0\0\0\0\0\0\xf0\x3f"
    assert (message.target, message.ci, message.times_ms, message.collector) == ("x", 1, (1000,), "test")
    assert isnan(emit.last["snmp.response_ms"])


def test_text_is_read_as_utf_8_then_as_gb_18030():
    assert text("门诊一楼".encode()) == "门诊一楼"
    assert text("门诊一楼".encode("gb18030")) == "门诊一楼"


def test_text_that_a_device_cut_off_inside_a_character_keeps_the_rest():
    assert text("门诊一楼".encode()[:-1]) == "门诊一"
    assert text("门诊一楼".encode("gbk")[:-1]) == "门诊一"


def test_text_loses_padding_and_control_characters():
    assert text(b"core-1\x00\x00") == "core-1"
    assert text(b"Cisco IOS\r\nVersion 12") == "Cisco IOS  Version 12"
    assert text(b"\xff\xff\xff") == "ÿÿÿ"
    assert text(None) == ""
