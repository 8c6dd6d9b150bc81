"""Pings one host a few times, spaced, and reports loss and round trip.

All targets share one socket and one pace: gufo-ping sends 70,000 probes a second if
told to, and a burst of 1,000 loses answers in the kernel's buffer that were never lost
on the network.
"""

import asyncio
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from gufo.ping import Ping
from gufo.ping.socket import SelectionPolicy

from wardkeeper.acquisition.adapters.icmp.decode import summary
from wardkeeper.acquisition.address import UnknownHost, resolved
from wardkeeper.acquisition.budget import budget_s
from wardkeeper.acquisition.columns import Columns, now_ms
from wardkeeper.acquisition.config import configure
from wardkeeper.acquisition.contract import ConfigError, Device, Emit

PROBES_PER_S = 500.0
"""Of this process, to all targets together: 10,000 hosts with 3 probes a minute."""

LONGEST_WAIT_S = 2.0
"""After this a probe is lost, whatever the target's own time-out."""

FEWEST_PROBES = 2
MOST_PROBES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One host.

    probes      per poll, 2..20: one lost packet alone says nothing about a host
    spacing_s   between two probes of one poll
    timeout_s   a later answer counts as lost; at most 2
    size_bytes  of a packet with its IP header
    """

    host: str
    probes: int = 3
    spacing_s: float = 0.3
    timeout_s: float = 1.0
    size_bytes: int = 64

    def __post_init__(self) -> None:
        if not self.host:
            raise ConfigError("host is empty: give a name or an address")
        if not FEWEST_PROBES <= self.probes <= MOST_PROBES:
            raise ConfigError(f"probes {self.probes} is outside {FEWEST_PROBES}..{MOST_PROBES}")
        if not 0 <= self.spacing_s <= 10 or not 0 < self.timeout_s <= LONGEST_WAIT_S:  # noqa: PLR2004 - said in the message
            raise ConfigError(f"spacing_s must be within 0..10 and timeout_s within 0..{LONGEST_WAIT_S:g}")
        if not 48 <= self.size_bytes <= 1500:  # noqa: PLR2004 - said in the message
            raise ConfigError(f"size_bytes {self.size_bytes} is outside 48..1500")


class Pace:
    """Lets callers pass one by one, `per_s` a second, in the order in which they came."""

    def __init__(self, per_s: float) -> None:
        self._step_s = 1 / per_s
        self._next_s = 0.0

    async def passed(self) -> None:
        """Returns when it is the caller's turn."""
        now_s = asyncio.get_running_loop().time()
        turn_s = max(self._next_s, now_s)
        self._next_s = turn_s + self._step_s
        if turn_s > now_s:
            await asyncio.sleep(turn_s - now_s)


class Pinger:
    """The socket, the pace, and the probes under way of one event loop.

    A probe is never cancelled: gufo-ping would set the result of the cancelled future,
    fail, and drop the answers to everybody else that arrived with it.
    """

    def __init__(self) -> None:
        # RAW wants root or CAP_NET_RAW, DGRAM a group within net.ipv4.ping_group_range.
        self._ping = Ping(policy=SelectionPolicy.RAW_DGRAM, timeout=LONGEST_WAIT_S, recv_buffer_size=1 << 20)
        self._pace = Pace(PROBES_PER_S)
        self._under_way: set[asyncio.Task[float | None]] = set()

    async def round_trips_s(self, address: str, config: Config) -> list[float | None]:
        """One entry per probe, None for what did not come back. Raises ConfigError without the right to ping."""
        probes: list[asyncio.Task[float | None]] = []
        for number in range(config.probes):
            if number:
                await asyncio.sleep(config.spacing_s)
            await self._pace.passed()
            probe = asyncio.ensure_future(self._ping.ping(address, config.size_bytes))
            self._under_way.add(probe)
            probe.add_done_callback(self._under_way.discard)
            probes.append(probe)
        await asyncio.wait(probes)
        try:
            return [probe.result() for probe in probes]
        except OSError as error:
            raise ConfigError(
                "no right to send pings: set `sysctl net.ipv4.ping_group_range='0 2147483647'`, "
                "give the program CAP_NET_RAW, or run it as root"
            ) from error


_PINGERS: WeakKeyDictionary[asyncio.AbstractEventLoop, Pinger] = WeakKeyDictionary()


async def poll(device: Device, emit: Emit) -> None:
    """Emits `icmp.loss_share`, and `icmp.rtt_ms` and `icmp.rtt_min_ms` if anything came back.

    A name that does not resolve is a loss of everything. Raises ConfigError only.
    """
    config = configure(Config, device.config)
    at_ms = now_ms()
    loop = asyncio.get_running_loop()
    pinger = _PINGERS.get(loop)
    if pinger is None:
        pinger = _PINGERS[loop] = Pinger()
    round_trips_s: list[float | None] = [None] * config.probes
    try:
        async with asyncio.timeout(budget_s(device)):
            round_trips_s = await pinger.round_trips_s(await resolved(config.host), config)
    except UnknownHost:
        emit.count("trouble.unknown_host")
    except TimeoutError:
        emit.count("trouble.timeout")
    found = summary(round_trips_s, timeout_s=config.timeout_s)
    columns = Columns()
    columns.add("icmp.loss_share", found.loss_share)
    columns.add("icmp.rtt_ms", found.rtt_ms)
    columns.add("icmp.rtt_min_ms", found.rtt_min_ms)
    columns.emit(device, emit, time_ms=at_ms)
