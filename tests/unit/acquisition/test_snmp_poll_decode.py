"""What answers mean, and that no answers whatever can make decoding fail."""

from contextlib import suppress
from math import isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.snmp_recording import answers as recorded
from wardkeeper.acquisition.adapters.snmp_poll import decode, oid, profile
from wardkeeper.acquisition.adapters.snmp_poll.config import Config
from wardkeeper.acquisition.adapters.snmp_poll.inventory import (
    COLUMNS,
    SCALARS,
    TEXT_COLUMNS,
    Value,
    inventory,
)
from wardkeeper.acquisition.columns import Columns
from wardkeeper.acquisition.contract import ConfigError, Malformed

TWO_PORTS: dict[str, Value] = {
    oid.SYS_UP_TIME: 1000,
    **{f"{oid.IF_DESCR}.{index}": b"port" for index in (1, 2)},
    **{f"{oid.IF_HIGH_SPEED}.{index}": 1000 for index in (1, 2)},
    **{f"{column}.{index}": 1 for index in (1, 2) for column in (oid.IF_ADMIN_STATUS, oid.IF_OPER_STATUS)},
    **{f"{column}.{index}": 7 for index in (1, 2) for _, column in decode.COUNTERS},
    **{
        f"{column}.{index}": 10**6
        for index in (1, 2)
        for column in (oid.IF_HC_IN_OCTETS, oid.IF_HC_OUT_OCTETS)
    },
}


def polled(answers, *, before=None, at_s=0.0, plan=None):
    plan = plan or decode.plan(inventory(answers))
    now = decode.octets(plan, answers, received_s=at_s, sent_s=at_s)
    columns = Columns()
    decode.measure(plan, answers, now, before, columns)
    return columns.as_mapping(), now, plan


def test_rates_come_with_the_second_poll():
    first, octets, plan = polled(TWO_PORTS)
    assert isnan(first["interface.in_bps{1}"])
    later = {**TWO_PORTS, f"{oid.IF_HC_IN_OCTETS}.1": 2 * 10**6}
    second, _, _ = polled(later, before=octets, at_s=8.0, plan=plan)
    assert second["interface.in_bps{1}"] == 1e6
    assert second["interface.in_bps{2}"] == 0


def test_counter_not_answered_once_is_nan_and_has_no_rate_before_the_poll_after_next():
    _, octets, plan = polled(TWO_PORTS)
    gap: dict[str, Value] = {
        key: value for key, value in TWO_PORTS.items() if key != f"{oid.IF_HC_IN_OCTETS}.1"
    }
    missed, octets, _ = polled(gap, before=octets, at_s=8.0, plan=plan)
    assert isnan(missed["interface.in_octets{1}"])
    assert isnan(missed["interface.in_bps{1}"])
    assert decode.missing(plan, gap) == 1
    back, _, _ = polled(TWO_PORTS, before=octets, at_s=16.0, plan=plan)
    assert isnan(back["interface.in_bps{1}"])
    assert back["interface.in_octets{1}"] == 10**6


@pytest.mark.parametrize(
    ("admin", "oper", "admin_up", "oper_up", "down"),
    [
        (1, 1, 1, 1, 0),
        (1, 2, 1, 0, 1),
        (2, 2, 0, 0, 0),
        (1, 7, 1, 0, 1),
        (1, 6, 1, 0, 0),
        (1, 4, 1, nan, 0),
        (3, 1, 0, 1, 0),
    ],
)
def test_port_is_down_only_when_it_should_be_up_and_has_lost_its_line(admin, oper, admin_up, oper_up, down):
    answers = {**TWO_PORTS, f"{oid.IF_ADMIN_STATUS}.1": admin, f"{oid.IF_OPER_STATUS}.1": oper}
    found, _, _ = polled(answers)
    said = [found[f"interface.{name}{{1}}"] for name in ("admin_up", "oper_up", "down")]
    assert said == pytest.approx([admin_up, oper_up, down], nan_ok=True)


def test_interface_without_high_speed_takes_its_speed_in_bits():
    answers = {**TWO_PORTS, f"{oid.IF_HIGH_SPEED}.2": 0, f"{oid.IF_SPEED}.2": 64_000}
    found, _, _ = polled(answers)
    assert (found["interface.speed_bps{1}"], found["interface.speed_bps{2}"]) == (1e9, 64_000)


def test_storage_of_more_than_2_to_31_units_is_not_negative():
    row = {
        f"{oid.HR_STORAGE_TYPE}.1": f"{oid.HR_STORAGE_TYPES}.4",
        f"{oid.HR_STORAGE_DESCR}.1": b"/data",
        f"{oid.HR_STORAGE_UNITS}.1": 4096,
        f"{oid.HR_STORAGE_SIZE}.1": 3 * 10**9 - (1 << 32),
        f"{oid.HR_STORAGE_USED}.1": 15 * 10**8,
    }
    found, _, _ = polled(row)
    assert found["storage.size_bytes{1}"] == 3e9 * 4096
    assert found["storage.used_share{1}"] == 0.5


def test_memory_of_an_agent_that_lists_cache_beside_ram_is_what_programs_hold():
    rows: dict[str, Value] = {}
    for index, (kind, name, used) in enumerate(
        ((2, b"Physical memory", 900), (1, b"Memory buffers", 100), (1, b"Cached memory", 300)), 1
    ):
        rows |= {
            f"{oid.HR_STORAGE_TYPE}.{index}": f"{oid.HR_STORAGE_TYPES}.{kind}",
            f"{oid.HR_STORAGE_DESCR}.{index}": name,
            f"{oid.HR_STORAGE_UNITS}.{index}": 1024,
            f"{oid.HR_STORAGE_SIZE}.{index}": 1000,
            f"{oid.HR_STORAGE_USED}.{index}": used,
        }
    found, _, _ = polled(rows)
    assert found["host.memory_share"] == 0.5


def test_uptime_past_497_days_goes_on_counting_with_the_engine_s_clock():
    answers = {oid.SYS_UP_TIME: 6_000, oid.SNMP_ENGINE_TIME: 42_949_733}
    assert decode.uptime_s(answers) == pytest.approx(42_949_732.96)


def test_uptime_of_a_server_is_the_machine_s_and_not_the_agent_s():
    assert (
        decode.uptime_s({oid.SYS_UP_TIME: 100, oid.HR_SYSTEM_UPTIME: 500_000, oid.SNMP_ENGINE_TIME: 1})
        == 5000
    )


def test_ups_on_battery_by_source_or_by_seconds():
    for answers in ({oid.UPS_OUTPUT_SOURCE: 5}, {oid.UPS_SECONDS_ON_BATTERY: 30}):
        assert polled(answers)[0]["ups.on_battery"] == 1
    assert polled({oid.UPS_OUTPUT_SOURCE: 3, oid.UPS_SECONDS_ON_BATTERY: 0})[0]["ups.on_battery"] == 0


def test_profile_is_the_vendor_s_and_not_that_of_a_number_that_begins_alike():
    cisco = profile.profile_of("1.3.6.1.4.1.9.1.617")
    assert cisco is not None
    assert cisco.name == "cisco"
    assert profile.profile_of("1.3.6.1.4.1.99.1") is None
    assert profile.profile_of("") is None


def test_columns_walked_whole_are_those_without_other_rows():
    mixed: dict[str, Value] = {**TWO_PORTS, f"{oid.IF_DESCR}.3": b"old", f"{oid.IF_SPEED}.3": 10**7}
    blocks = {block.column: block for block in decode.plan(inventory(mixed)).blocks}
    assert blocks[oid.IF_HC_IN_OCTETS].whole
    assert not blocks[oid.IF_IN_OCTETS].whole
    assert blocks[oid.IF_IN_OCTETS].indexes == ("3",)
    assert not blocks[oid.IF_SPEED].whole


VALUES = st.one_of(
    st.none(),
    st.integers(-(1 << 63), (1 << 64) - 1),
    st.floats(),
    st.binary(max_size=40),
    st.text("0123456789.", max_size=30),
)
ASKED = (
    *SCALARS,
    *(
        f"{column}.{row}"
        for column in (*COLUMNS, *TEXT_COLUMNS, oid.HR_STORAGE_USED)
        for row in (1, 2, "0.1", "")
    ),
    *(
        f"{column}.{row}"
        for column in (oid.IF_HC_OUT_OCTETS, oid.IF_IN_OCTETS, oid.IF_ADMIN_STATUS, oid.IF_OPER_STATUS)
        for row in (1, 2)
    ),
    *(f"{column}.1" for each in profile.profiles() for column in each.columns),
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(ASKED), VALUES),
    st.dictionaries(st.sampled_from(ASKED), VALUES),
    st.sampled_from(profile.profiles()),
)
def test_any_answers_give_finite_or_missing_samples_and_never_an_exception(first, second, vendor):
    first[oid.SYS_OBJECT_ID] = vendor.sys_object_id
    found = inventory(first, vendor.keys(first))
    plan = decode.plan(found)
    before = decode.octets(plan, first, received_s=0, sent_s=0)
    for answers in (first, second):
        columns = Columns()
        now = decode.octets(plan, answers, received_s=60, sent_s=60)
        decode.measure(plan, answers, now, before, columns)
        for name, value in columns.as_mapping().items():
            assert isinstance(value, float | int)
            assert abs(value) != float("inf"), name
    assert all("\n" not in name for name in columns.as_mapping())
    found.components()


@given(st.binary(max_size=200))
def test_any_recording_is_read_or_malformed(raw):
    with suppress(Malformed):
        recorded(raw)


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"host": "h", "port": 0},
        {"host": "h", "version": "3"},
        {"host": "h", "version": "3", "user": "u", "priv_protocol": "aes", "priv_password": "x" * 8},
        {"host": "h", "version": "3", "user": "u", "auth_protocol": "sha", "auth_password": "short"},
        {"host": "h", "retries": 99},
    ],
)
def test_impossible_configuration_is_refused_before_anything_is_sent(wrong):
    with pytest.raises(ConfigError):
        Config(**wrong)


def test_configuration_does_not_show_its_secrets():
    shown = repr(
        Config(host="h", community="c0mmunity", auth_password="authenticate", priv_password="encrypt-it")
    )
    assert not any(secret in shown for secret in ("c0mmunity", "authenticate", "encrypt-it"))
