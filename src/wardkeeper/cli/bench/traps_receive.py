"""SNMP v2c traps a second that one collector process receives, decodes and publishes durably.

The receiving half of `traps`: a sender beside the collector sends link-down traps of 200 switch ports;
`traps_per_s` is the highest rate of those tried at which every trap was on NATS, flushed to disk, and had left
the kernel's queue; `lost` of those sent at the wanted 5,000 a second. `per_core` is the same by the collector's own
processor time. `decodes_per_s` is the decoder alone.
"""

import asyncio
import time

import uvloop

from wardkeeper.acquisition.adapters.snmp_trap import decode
from wardkeeper.cli.bench._collector import Bench, collecting

SETTINGS = {"version": "2c", "variables": 6, "bytes_per_trap": 157}
_WANTED = 5_000
_RATES = (_WANTED, 10_000, 15_000, 20_000)
_SECONDS = 3.0
_SILENCE_S = 1.0
_PORTS = 200
_DECODES = 20_000


def run(scale: float) -> dict[str, float]:
    sent = [link_down(port) for port in range(1, _PORTS + 1)]
    began = time.process_time()
    for number in range(int(_DECODES * scale)):
        raw = sent[number % len(sent)]
        decode.decode(raw, decode.head(raw))
    alone = int(_DECODES * scale) / (time.process_time() - began)
    rate, core, lost = uvloop.run(_receive(scale, sent))
    return {"traps_per_s": rate, "lost": lost, "traps_per_s_per_core": core, "decodes_per_s": alone}


async def _receive(scale: float, sent: list[bytes]) -> tuple[float, float, float]:
    best, best_core, lost = 0.0, 0.0, 0
    async with collecting("snmp_trap") as bench:
        for rate in _RATES:
            count = int(rate * _SECONDS * scale)
            before, cpu = bench.count("received"), time.process_time()
            seconds = await bench.send("udp", rate=rate, count=count, lines=sent)
            await _settled(bench, before + count)
            missing = before + count - bench.count("received")
            if rate == _WANTED:
                lost = missing
            if missing:
                break
            best, best_core = count / seconds, count / (time.process_time() - cpu)
    return best, best_core, float(lost)


async def _settled(bench: Bench, wanted: int) -> None:
    """Until all have been received (which here means durable), or none came for a second."""
    seen, since = -1, time.monotonic()
    while seen < wanted and time.monotonic() - since < _SILENCE_S:
        received = bench.count("received")
        if received != seen:
            seen, since = received, time.monotonic()
        await asyncio.sleep(0.01)


def _tlv(tag: int, content: bytes) -> bytes:
    """X.690 with lengths up to 255, which is all a trap of ours needs."""
    size = len(content)
    return bytes((tag, size)) + content if size < 0x80 else bytes((tag, 0x81, size)) + content  # noqa: PLR2004 - X.690


def link_down(port: int) -> bytes:
    """A linkDown trap (IF-MIB) as a switch sends it for `port`, 1..200."""
    index = bytes((port,)) if port < 0x80 else bytes((0x81, port & 0x7F))  # noqa: PLR2004 - base 128
    number = port.to_bytes(2)
    column = bytes.fromhex("2b060102010202 01")
    variables = (
        (bytes.fromhex("2b06010201010300"), _tlv(0x43, b"\x01\x00" + number)),
        (bytes.fromhex("2b060106030101040100"), _tlv(6, bytes.fromhex("2b0601060301010503"))),
        (column + b"\x01" + index, _tlv(2, number)),
        (column + b"\x02" + index, _tlv(4, b"GigabitEthernet0/%d" % port)),
        (column + b"\x07" + index, _tlv(2, b"\x01")),
        (column + b"\x08" + index, _tlv(2, b"\x02")),
    )
    listed = b"".join(_tlv(0x30, _tlv(6, name) + value) for name, value in variables)
    zero = _tlv(2, b"\0")
    pdu = _tlv(0xA7, _tlv(2, number) + zero + zero + _tlv(0x30, listed))
    return _tlv(0x30, _tlv(2, b"\x01") + _tlv(4, b"public") + pdu)
