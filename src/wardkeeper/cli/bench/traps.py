"""Traps from the wire to the screen of a running house.

The receiving half is the bench `traps-receive`. Here: `traps_per_s`, link-down traps of 200 ports sent to the held
socket at the wanted rate for some seconds, counted where they end, in the alarms' own counts; `lost`, those that
never got there; `drained_s`, how long after the last trap the last one was counted. `incident_p99_ms`: single
traps of new ports, each timed from sending until the API shows its incident.
"""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import httpx

from wardkeeper.cli.bench import _house
from wardkeeper.cli.bench.traps_receive import link_down

SETTINGS = {"rate_per_s": 5_000, "seconds": 4, "ports": 200, "single_traps": 50}
_PORTS = 200
_SINGLE = 50
_FIRST_SINGLE = 201
_WANTED = 5_000
_SECONDS = 4
_DRAIN_S = 120.0
_SEEN_S = 10.0


def run(scale: float) -> dict[str, float]:
    """The figures; `scale` multiplies the number of traps sent at the wanted rate."""
    with _house.running() as house:
        headers = {"Authorization": f"Bearer {house.token()}"}
        with httpx.Client(base_url=house.url, headers=headers, timeout=60, trust_env=False) as client:
            waits = [_single(client, house.trap_port, _FIRST_SINGLE + n) for n in range(_SINGLE)]
            count = int(_WANTED * _SECONDS * scale)
            seconds = _send(house.trap_port, [link_down(port) for port in range(1, _PORTS + 1)], count)
            ended = time.monotonic()
            got = _drained(client, count)
            drained = time.monotonic() - ended
    return {
        "traps_per_s": got / (seconds + drained),
        "sent_per_s": count / seconds,
        "lost": float(count - got),
        "drained_s": drained,
        "incident_p50_ms": statistics.median(waits),
        "incident_p99_ms": statistics.quantiles(waits, n=100)[-1],
    }


def _single(client: httpx.Client, port: int, interface: int) -> float:
    started = time.perf_counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(link_down(interface), ("127.0.0.1", port))
    until = started + _SEEN_S
    while time.perf_counter() < until:
        items = client.get("/api/v1/incidents?sort=newest&limit=1").json()["items"]
        if items and f"GigabitEthernet0/{interface} " in f"{items[0]['title']} ":
            return (time.perf_counter() - started) * 1000
        time.sleep(0.01)
    raise RuntimeError(f"the incident of port {interface} did not appear within {_SEEN_S:g} s")


def _send(port: int, lines: list[bytes], count: int) -> float:
    """At the wanted rate, from a process of its own; seconds it took."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump([line.decode("latin-1") for line in lines], file)
        file.flush()
        words = ("udp", str(port), str(_WANTED), str(count), file.name)
        done = subprocess.run(
            [sys.executable, "-m", "wardkeeper.cli.bench._sender", *words],
            stdout=subprocess.PIPE,
            timeout=300,
            check=True,
        )
    return float(json.loads(done.stdout)["seconds"])


def _drained(client: httpx.Client, count: int) -> int:
    """How many of the traps are in the alarms' counts, once that no longer grows."""
    seen, since = -1, time.monotonic()
    started = since
    while time.monotonic() - started < _DRAIN_S and time.monotonic() - since < _SEEN_S:
        got: int = _counted(client)
        if got >= count:
            return got
        if got != seen:
            seen, since = got, time.monotonic()
        time.sleep(0.2)
    return max(seen, 0)


def _counted(client: httpx.Client) -> int:
    """Sum of the counts of the ports that are not the single ones."""
    total: int = 0
    cursor = ""
    while True:
        page = client.get("/api/v1/alarms", params={"limit": 500, "cursor": cursor, "state": "all"}).json()
        total += sum(
            alarm["count"]
            for alarm in page["items"]
            if alarm["condition"] == "interface.down" and int(alarm["parameters"]["instance"]) < _FIRST_SINGLE
        )
        if not page["next"]:
            return total
        cursor = page["next"]
