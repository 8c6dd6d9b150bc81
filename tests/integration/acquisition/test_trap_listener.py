"""net-snmp's senders to a real collector over a real bus; the collector killed at the worst moments."""

import asyncio
import json
import random
import socket
import subprocess
import time

import pytest

from wardkeeper.acquisition.adapters import snmp_trap
from wardkeeper.acquisition.adapters.snmp_trap import decode
from wardkeeper.acquisition.adapters.snmp_trap.user import User
from wardkeeper.acquisition.adapters.snmp_trap.usm import Engine
from wardkeeper.acquisition.contract import Malformed

LINK_DOWN = ("12345", "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7")
KEYS = ("-A", "authpass12", "-X", "privpass12")
ENGINE = ("-e", "0x80001f8880aabbccdd")


def net_snmp(program: str, house, *security: str, trap: tuple[str, ...] = LINK_DOWN) -> int:
    address = f"127.0.0.1:{house.port('snmp_trap:udp')}"
    command = [program, *security, address, *trap]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode


SECURE = ("-v3", "-u", "secure", "-l", "authPriv", "-a", "SHA", "-x", "AES", *KEYS)
STRONG = ("-v3", "-u", "strong", "-l", "authPriv", "-a", "SHA-256", "-x", "AES-256", *KEYS)
OLD = ("-v3", "-u", "old", "-l", "authPriv", "-a", "MD5", "-x", "DES", *KEYS)
LONG = ("-v3", "-u", "long", "-l", "authNoPriv", "-a", "SHA-512", *KEYS)
OPEN = ("-v3", "-u", "open", "-l", "noAuthNoPriv")


@pytest.mark.peer("snmptrap")
@pytest.mark.parametrize(
    "security", [("-v2c", "-c", "public"), SECURE, STRONG, OLD, LONG, OPEN], ids=lambda s: "-".join(s[:3])
)
async def test_a_trap_of_net_snmp_is_heard(house, ear, security):
    house.start()
    engine = ENGINE if security[0] == "-v3" else ()
    assert await asyncio.to_thread(net_snmp, "snmptrap", house, *security, *engine) == 0
    (row,) = await ear.wait("snmp_trap", 1)
    assert row.kind == "1.3.6.1.6.3.1.1.5.3"
    assert row.source == "127.0.0.1"
    assert row.fields["uptime"] == 12345
    assert row.fields["1.3.6.1.2.1.2.2.1.1.7"] == 7
    assert row.fields.get("user") == (security[2] if security[0] == "-v3" else None)


@pytest.mark.peer("snmptrap")
async def test_a_v1_trap_speaks_for_its_agent(house, ear):
    house.start()
    trap = ("1.3.6.1.4.1.318", "10.1.2.3", "6", "5", "777", "1.3.6.1.4.1.318.2.3.3.0", "s", "On battery")
    assert await asyncio.to_thread(net_snmp, "snmptrap", house, "-v1", "-c", "public", trap=trap) == 0
    (row,) = await ear.wait("snmp_trap", 1)
    assert (row.source, row.fields["sender"], row.kind) == ("10.1.2.3", "127.0.0.1", "1.3.6.1.4.1.318.0.5")


@pytest.mark.peer("snmpinform")
@pytest.mark.parametrize(
    "security", [("-v2c", "-c", "public"), SECURE, STRONG, OLD, OPEN], ids=lambda s: "-".join(s[:3])
)
async def test_an_inform_of_net_snmp_is_answered(house, ear, security):
    house.start()
    assert await asyncio.to_thread(net_snmp, "snmpinform", house, *security) == 0
    (row,) = await ear.wait("snmp_trap", 1)
    assert row.fields["inform"] is True


@pytest.mark.peer("snmpinform", "snmptrap")
async def test_whoever_may_not_speak_is_counted_and_not_heard(house, ear):
    house.start()
    await house.started()
    strangers = (
        ("snmptrap", "-v2c", "-c", "guess"),
        ("snmptrap", "-v1", "-c", "guess"),
        ("snmptrap", "-v3", "-u", "nobody", "-l", "noAuthNoPriv", *ENGINE),
        ("snmptrap", "-v3", "-u", "secure", "-l", "noAuthNoPriv", *ENGINE),
        ("snmptrap", "-v3", "-u", "secure", "-l", "authNoPriv", "-a", "SHA", "-A", "authpass12", *ENGINE),
        (
            "snmptrap",
            "-v3",
            "-u",
            "secure",
            "-l",
            "authPriv",
            "-a",
            "SHA",
            "-x",
            "AES",
            "-A",
            "wrongpass",
            "-X",
            "wrongpass",
            *ENGINE,
        ),
    )
    v1 = ("1.3.6.1.4.1.318", "10.1.2.3", "6", "5", "777")
    for program, *security in strangers:
        trap = v1 if security[0] == "-v1" else LINK_DOWN
        await asyncio.to_thread(net_snmp, program, house, *security, trap=trap)
    assert (
        await asyncio.to_thread(net_snmp, "snmpinform", house, "-v3", "-u", "nobody", "-l", "noAuthNoPriv")
        == 1
    )
    assert await asyncio.to_thread(net_snmp, "snmpinform", house, "-v2c", "-c", "public") == 0
    assert len(await ear.wait("snmp_trap", 1)) == 1
    assert house.stop() == 0
    counts = house.status()["counts"]["snmp_trap"]
    assert counts["unknown_community"] == 2
    assert counts["unknown_user"] == 1
    assert counts["v3_level"] == 2
    assert counts["v3_refused"] == 1


@pytest.mark.peer("snmptrap")
async def test_a_recorded_v3_trap_is_refused_once_its_sender_has_gone_on(house, ear):
    house.start()
    await house.started()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        recorded = []
        for boots, seconds in (("5", "100"), ("5", "110"), ("6", "1")):
            command = [
                "snmptrap",
                *SECURE,
                *ENGINE,
                "-Z",
                f"{boots},{seconds}",
                f"127.0.0.1:{wire.getsockname()[1]}",
                *LINK_DOWN,
            ]
            await asyncio.to_thread(subprocess.run, command, check=True, timeout=10)
            recorded.append(wire.recv(65535))
        target = house.held["snmp_trap:udp"].getsockname()
        for raw in recorded:
            wire.sendto(raw, target)
        await ear.wait("snmp_trap", 3)
        wire.sendto(recorded[0], target)
        wire.sendto(recorded[2], target)
        await ear.wait("snmp_trap", 4)
    assert house.stop() == 0
    assert house.status()["counts"]["snmp_trap"]["v3_replayed"] == 1


@pytest.mark.peer("snmpinform")
async def test_our_engine_keeps_its_id_and_counts_its_starts(house, ear):
    kept = house.data / "collect" / "snmp_trap" / "engine.json"
    for boots in (1, 2):
        house.start()
        await house.started()
        engine = json.loads(kept.read_text())
        assert engine["boots"] == boots
        assert await asyncio.to_thread(net_snmp, "snmpinform", house, *SECURE) == 0
        assert house.stop() == 0
        assert json.loads(kept.read_text())["engine_id"] == engine["engine_id"]
    assert kept.stat().st_mode & 0o777 == 0o600


def captured(name: str) -> bytes:
    folder = snmp_trap.__path__[0]
    with open(f"{folder}/samples/{name}.hex", encoding="ascii") as file:  # noqa: PTH123 - a string is what there is
        return bytes.fromhex(file.read())


def numbered(number: int) -> bytes:
    """A link-down trap whose sysUpTime is `number`; the capture's is two bytes long."""
    raw = captured("v2c-link-down")
    assert raw.count(b"\x43\x02\x30\x39") == 1
    return raw.replace(b"\x43\x02\x30\x39", b"\x43\x02" + number.to_bytes(2))


async def test_an_inform_repeated_by_its_sender_is_taken_once_and_answered_each_time(house, ear):
    house.start()
    await house.started()
    raw = captured("v2c-inform-cold-start")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(10)
        sender.connect(house.held["snmp_trap:udp"].getsockname())
        for _ in range(3):
            sender.send(raw)
            assert len(await asyncio.to_thread(sender.recv, 65535)) == len(raw)
        sender.send(numbered(1))
    rows = await ear.wait("snmp_trap", 2)
    assert [row.kind for row in rows] == ["1.3.6.1.6.3.1.1.5.1", "1.3.6.1.6.3.1.1.5.3"]


async def test_a_listener_survives_floods_of_garbage_and_hears_the_next_trap(house, ear):
    house.start()
    await house.started()
    rng = random.Random(11)
    v3 = bytes.fromhex(
        "303a0201033010020430f6f3d5020300ffe304010002010304103" + "00e0400020100020100040004000400"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(house.held["snmp_trap:udp"].getsockname())
        for n in range(3000):
            sender.send(rng.randbytes(rng.randint(0, 200)) if n % 3 else v3 + rng.randbytes(30))
        sender.send(b"")
        sender.send(b"\x30" * 60_000)
        for _ in range(300):
            raw = bytearray(captured("v2c-every-type"))
            for _ in range(4):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
            sender.send(raw)
        sender.send(numbered(4711))
    deadline = time.monotonic() + 30
    while not any(row.fields.get("uptime") == 4711 for row in ear.rows("snmp_trap")):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert house.stop() == 0
    status = house.status()
    assert status["listeners"]["snmp_trap"]["restarts"] == 0
    assert len(json.loads((house.data / "collect/malformed/snmp_trap/last.json").read_text())) <= 100


@pytest.mark.slow
async def test_a_collector_killed_again_and_again_loses_no_trap_and_doubles_none(house, ear):
    house.start()
    count, kills = 1000, 5
    target = house.held["snmp_trap:udp"].getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for n in range(count):
            sender.sendto(numbered(0x1000 + n), target)
            if n % (count // kills) == count // kills // 2:
                if n > count // kills:
                    # At any point between looking, publishing and taking out.
                    await house.started()
                    await asyncio.sleep(0.003 * (n % 7))
                house.kill()
                house.start()
            await asyncio.sleep(0.001)
    rows = await ear.wait("snmp_trap", count, within_s=40)
    await asyncio.sleep(0.5)  # for what might come twice
    assert [row.fields["uptime"] for row in ear.rows("snmp_trap")] == [0x1000 + n for n in range(count)]
    assert len(rows) == count
    assert house.stop() == 0


async def test_nothing_of_a_patient_passes_or_is_kept(house, ear):
    name = "欧阳金丝雀"
    house.start()
    await house.started()
    raw = captured("v2c-patient-name")
    old = "患者姓名：张三".encode()
    new = "姓名：".encode() + name.encode()[: len(old) - len("姓名：".encode())]
    assert len(new) == len(old)
    raw = raw.replace(old, new)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(house.held["snmp_trap:udp"].getsockname())
        sender.send(raw)
        sender.send(raw[:-3])  # cut short: malformed, kept
        sender.send(raw[:-3].replace(b"public", b"p\xff\xfe\xfd\xfcc"))
    await ear.wait("snmp_trap", 1)
    assert house.stop() == 0
    said = json.dumps([row.fields for row in ear.rows("snmp_trap")], ensure_ascii=False)
    kept = [
        bytes.fromhex(each["hex"])
        for each in json.loads((house.data / "collect/malformed/snmp_trap/last.json").read_text())
    ]
    assert kept
    for canary in (name[:4], "ZHANG", "00123456"):
        assert canary not in said
        for content in (*kept, *(path.read_bytes() for path in house.data.rglob("*") if path.is_file())):
            assert canary.encode() not in content


@pytest.mark.peer("snmptrap")
def test_any_change_to_a_v3_message_gives_a_refusal_or_malformed_and_never_another_notification(tmp_path):
    user = User("secure", "SHA", "authpass12", "AES128", "privpass12")
    engine = Engine([user], tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(10)
        address = f"127.0.0.1:{wire.getsockname()[1]}"
        subprocess.run(
            ["snmptrap", *SECURE, *ENGINE, "-Z", "5,100", address, *LINK_DOWN], check=True, timeout=10
        )
        raw = wire.recv(65535)
    who = decode.head(raw)
    genuine = engine.receive(raw, who.pdu_at, who.end)
    assert decode.decode_pdu(genuine.pdu, genuine.user).fields["user"] == "secure"
    rng = random.Random(5)
    accepted = 0
    for _ in range(800):
        changed = bytearray(raw)
        for _ in range(rng.randint(1, 3)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        if rng.random() < 0.2:
            del changed[rng.randrange(len(changed)) :]
        try:
            who = decode.head(bytes(changed))
            received = engine.receive(bytes(changed), who.pdu_at, who.end)
        except Malformed:
            continue
        if received.pdu:
            accepted += 1
            assert received.pdu == genuine.pdu
    # Only what the digest does not cover may differ: the message's own framing.
    assert accepted < 40
