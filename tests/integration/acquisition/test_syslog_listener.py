"""Real senders to a real collector over a real bus."""

import asyncio
import json
import random
import socket
import subprocess

import pytest

CANARY_NAME, CANARY_NUMBER, CANARY_MOBILE = "欧阳金丝雀", "ZY20260314007", "13900001111"


def logger(house, *arguments: str) -> None:
    subprocess.run(
        ["logger", "--server", "127.0.0.1", "--priority", "local0.err", *arguments], check=True, timeout=10
    )


@pytest.mark.peer("logger")
async def test_logger_is_heard_over_udp_and_tcp_in_both_forms_and_framings(house, ear):
    house.start()
    udp, tcp = str(house.port("syslog:udp")), str(house.port("syslog:tcp"))
    for n, arguments in enumerate(
        (
            ("--udp", "--port", udp, "--rfc3164"),
            ("--udp", "--port", udp, "--rfc5424"),
            ("--tcp", "--port", tcp, "--rfc3164"),
            ("--tcp", "--port", tcp, "--rfc5424"),
            ("--tcp", "--port", tcp, "--rfc5424", "--octet-count"),
        )
    ):
        await asyncio.to_thread(logger, house, *arguments, "--tag", "ward", f"printer jam {n}")
    rows = await ear.wait("syslog", 5)
    assert sorted(str(row.fields["message"]) for row in rows) == [f"printer jam {n}" for n in range(5)]
    for row in rows:
        assert row.source == "127.0.0.1"
        assert row.kind == "syslog"
        assert (row.fields["facility"], row.fields["severity"], row.fields["app_name"]) == (16, 3, "ward")
        assert "T" in str(row.fields["timestamp"])


async def test_less_severe_lines_are_counted_and_stay(house, ear):
    house.start()
    await house.started()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for severity in range(8):
            sender.sendto(
                b"<%d>x: severity %d" % (128 + severity, severity), house.held["syslog:udp"].getsockname()
            )
    rows = await ear.wait("syslog", 5)
    assert [row.fields["severity"] for row in rows] == [0, 1, 2, 3, 4]
    assert house.stop() == 0
    counts = house.status()["counts"]["syslog"]
    assert counts["received_udp"] == 8
    assert counts["severity.debug"] == counts["severity.emergency"] == 1


async def test_a_listener_survives_floods_of_garbage_and_hears_the_next_good_line(house, ear):
    house.start()
    await house.started()
    rng = random.Random(7)
    target = house.held["syslog:udp"].getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3000):
            sender.sendto(rng.randbytes(rng.randint(0, 300)), target)
        sender.sendto(b"\xff" * 60_000, target)
    for garbage in (rng.randbytes(50_000), b"9" * 100_000, b"999999999 <", b"5 abc", b"\0" * 70_000):
        with socket.create_connection(house.held["syslog:tcp"].getsockname()) as stream:
            stream.sendall(garbage)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<11>good: udp still listens", target)
    with socket.create_connection(house.held["syslog:tcp"].getsockname()) as stream:
        stream.sendall(b"<11>good: tcp still listens\n")
    rows = await ear.wait("syslog", 2)
    good = [row for row in rows if row.fields.get("app_name") == "good"]
    while len(good) < 2:
        rows = await ear.wait("syslog", len(rows) + 1)
        good = [row for row in rows if row.fields.get("app_name") == "good"]
    assert house.stop() == 0
    status = house.status()
    assert status["listeners"]["syslog"] == {"state": "running", "error": "", "restarts": 0}
    assert status["counts"]["syslog"]["malformed.not_text"] > 100
    assert "syslog:udp" in status["kernel_drops"]


async def test_nothing_of_a_patient_passes_or_is_kept(house, ear):
    house.start()
    await house.started()
    lines = [
        f"<11>app: 患者：{CANARY_NAME} 住院号 {CANARY_NUMBER} 电话 {CANARY_MOBILE}".encode(),
        f"<11>app: 病人{CANARY_NAME}".encode(),
        f"<11>esb: PID|1||{CANARY_NUMBER}||{CANARY_NAME}^^||{CANARY_MOBILE}\rNK1|1|{CANARY_NAME}".encode(
            "gbk"
        ),
        f'<11>1 - - - - - [p PatientName="{CANARY_NAME}" 住院号="{CANARY_NUMBER}"] 姓名：{CANARY_NAME}'.encode(),
        # Malformed, so kept for inspection.
        b"\x00\x01"
        + f"姓名={CANARY_NAME}; 手机号 {CANARY_MOBILE}; 住院号:{CANARY_NUMBER}".encode()
        + b"\xff",
        b"\x00\x01"
        + f"姓名={CANARY_NAME}; 手机号 {CANARY_MOBILE}; 住院号:{CANARY_NUMBER}".encode("gbk")
        + b"\xff",
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for line in lines:
            sender.sendto(line, house.held["syslog:udp"].getsockname())
    await ear.wait("syslog", 4)
    assert house.stop() == 0
    said = json.dumps([row.fields for row in ear.rows("syslog")], ensure_ascii=False)
    assert "[removed]" in said
    kept = [
        bytes.fromhex(each["hex"])
        for each in json.loads((house.data / "collect/malformed/syslog/last.json").read_text())
    ]
    assert len(kept) == 2
    files = [path.read_bytes() for path in house.data.rglob("*") if path.is_file()]
    for canary in (CANARY_NAME, CANARY_NUMBER, CANARY_MOBILE):
        assert canary not in said
        for encoding in ("utf-8", "gbk"):
            for content in (*kept, *files):
                assert canary.encode(encoding) not in content


async def test_a_collector_restart_with_the_held_socket_loses_no_datagram(house, ear):
    house.start()
    await house.started()
    target = house.held["syslog:udp"].getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for n in range(300):
            if n == 100:
                assert house.stop() == 0
            if n == 200:
                house.start()
            sender.sendto(b"<11>n: %d" % n, target)
    rows = await ear.wait("syslog", 300)
    assert [row.fields["message"] for row in rows] == [str(n) for n in range(300)]


async def test_tcp_senders_wait_while_the_bus_is_slow_and_lose_nothing(house, ear):
    house.start()
    await house.started()
    count = 60_000

    def send() -> None:
        with socket.create_connection(house.held["syslog:tcp"].getsockname()) as stream:
            for start in range(0, count, 1000):
                stream.sendall(b"".join(b"<11>n: %d\n" % n for n in range(start, start + 1000)))

    await asyncio.to_thread(send)
    rows = await ear.wait("syslog", count, within_s=60)
    assert [row.fields["message"] for row in rows] == [str(n) for n in range(count)]


async def test_connections_past_the_limit_close_the_one_silent_longest(house, ear):
    house.settings = "[adapters.syslog]\nmost_connections = 2\nidle_s = 60\n"
    house.start()
    await house.started()
    streams = [socket.create_connection(house.held["syslog:tcp"].getsockname()) for _ in range(2)]
    for n, stream in enumerate(streams):
        stream.sendall(b"<11>n: %d\n" % n)
    await ear.wait("syslog", 2)
    streams[0].sendall(b"<11>n: again\n")
    await ear.wait("syslog", 3)
    newest = socket.create_connection(house.held["syslog:tcp"].getsockname())
    newest.sendall(b"<11>n: newest\n")
    await ear.wait("syslog", 4)
    streams[1].settimeout(5)
    assert streams[1].recv(1) == b""
    streams[0].sendall(b"<11>n: still here\n")
    await ear.wait("syslog", 5)
    for stream in (*streams, newest):
        stream.close()


async def test_an_idle_connection_is_closed(house, ear):
    house.settings = "[adapters.syslog]\nidle_s = 0.4\n"
    house.start()
    await house.started()
    with socket.create_connection(house.held["syslog:tcp"].getsockname()) as stream:
        stream.settimeout(10)
        assert await asyncio.to_thread(stream.recv, 1) == b""


async def test_a_wrong_setting_keeps_one_listener_down_and_the_other_up(house, ear):
    house.settings = "[adapters.syslog]\ntimezone = 'Asia/Atlantis'\n"
    house.start()
    status = await house.started()
    assert status["listeners"]["syslog"]["state"] == "misconfigured"
    assert "Asia/Atlantis" in status["listeners"]["syslog"]["error"]
    assert status["listeners"]["snmp_trap"]["state"] == "running"
