"""Syslog lines a second that one collector process receives, decodes, cleans of patient data and publishes.

A sender beside it sends lines of Linux, Cisco, Huawei and H3C in both RFC forms; one in ten is a warning or worse
and goes on to NATS, which flushes every entry to disk. `udp_messages_per_s` is the highest rate of those tried at
which none was lost, `tcp_messages_per_s` what a single connection got through; `messages_per_s` is the lower of
the two; `lost` of those sent at 50,000 a second over UDP. `per_core` is the same by the collector's own processor
time, so that the sender beside it does not count. `all_...` sends every line on to the bus.
"""

import asyncio
import time

import uvloop

from wardkeeper.cli.bench._collector import Bench, collecting, until

SETTINGS = {"severe_share": 0.1, "bytes_per_line": 130}
_WANTED = 50_000
_RATES = (25_000, _WANTED, 75_000, 100_000, 130_000)
_SECONDS = 2.0
_SILENCE_S = 0.5
_TCP_COUNT = 200_000


def lines(severe: int) -> list[bytes]:
    """Ten lines, `severe` of them warnings or worse."""
    texts = (
        b"Mar  1 18:46:11 his-db1 systemd[1]: Started Session 12 of user root.",
        b"45: sw1: Mar  1 2026 18:46:11.123 UTC: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down",
        b"Mar  1 2026 18:46:11+08:00 HUAWEI %%01IFNET/4/LINK_STATE(l)[12]:The line protocol IP has gone DOWN.",
        b"Mar  1 18:46:11 2026 H3C %%10SHELL/5/SHELL_CMD: -Line=vty0-IPAddr=10.1.2.3-User=admin; Command is display",
        b"1 2026-03-01T18:46:11.123456+08:00 lis-app2 java 2211 - - Connection pool exhausted, 64 waiting",
        b'1 2026-03-01T18:46:11.123456+08:00 pacs1 store - ID47 [meta@32473 sequenceId="29" ae="CT1"] C-STORE done',
        b"Mar  1 18:46:11 nas1 smartd[99]: Device: /dev/sda, SMART Usage Attribute: 194 Temperature_Celsius changed",
        b"Mar  1 18:46:11 esb1 nginx[801]: 10.20.1.15 GET /api/orders 200 0.004",
        b"Mar  1 2026 18:46:11 fw1 : %ASA-6-302013: Built inbound TCP connection 12 for outside:203.0.113.5/4431",
        b"Mar  1 18:46:11 lis-app2 sshd[4221]: Accepted publickey for deploy from 10.20.1.15 port 51234 ssh2",
    )
    return [b"<%d>%s" % (132 if number < severe else 134, text) for number, text in enumerate(texts)]


def run(scale: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, severe in (("", 1), ("all_", 10)):
        udp, udp_core, lost = uvloop.run(_udp(scale, lines(severe)))
        tcp, tcp_core = uvloop.run(_tcp(scale, lines(severe)))
        figures |= {
            f"{name}messages_per_s": min(udp, tcp),
            f"{name}udp_messages_per_s": udp,
            f"{name}tcp_messages_per_s": tcp,
            f"{name}udp_messages_per_s_per_core": udp_core,
            f"{name}tcp_messages_per_s_per_core": tcp_core,
            f"{name}lost": lost,
        }
    return figures


async def _udp(scale: float, sent: list[bytes]) -> tuple[float, float, float]:
    """(highest rate without loss, the same per core, lost at 50,000 a second)."""
    best, best_core, lost = 0.0, 0.0, 0
    async with collecting("syslog", tcp=False) as bench:
        for rate in _RATES:
            count = int(rate * _SECONDS * scale)
            before, cpu = bench.count("received_udp"), time.process_time()
            seconds = await bench.send("udp", rate=rate, count=count, lines=sent)
            await _settled(bench, before, count)
            cpu = time.process_time() - cpu
            missing = count - (bench.count("received_udp") - before)
            if rate == _WANTED:
                lost = missing
            if missing:
                break
            best, best_core = count / seconds, count / cpu
    return best, best_core, float(lost)


async def _settled(bench: Bench, before: int, count: int) -> None:
    """Until all have been received and published, or none came for half a second."""
    seen, since = -1, time.monotonic()
    while seen < count and time.monotonic() - since < _SILENCE_S:
        received = bench.count("received_udp") - before
        if received != seen:
            seen, since = received, time.monotonic()
        await asyncio.sleep(0.01)
    await bench.all_published()


async def _tcp(scale: float, sent: list[bytes]) -> tuple[float, float]:
    count = int(_TCP_COUNT * scale)
    async with collecting("syslog") as bench:
        began, cpu = time.perf_counter(), time.process_time()
        await bench.send("tcp", rate=0, count=count, lines=sent)
        await until(lambda: bench.count("received_tcp") == count, within_s=60)
        await bench.all_published()
        return count / (time.perf_counter() - began), count / (time.process_time() - cpu)
