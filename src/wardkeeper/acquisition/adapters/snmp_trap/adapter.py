"""Receives SNMP traps and informs of all three versions on one UDP port."""

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from socket import socket
from typing import TYPE_CHECKING, Any

from wardkeeper.acquisition.adapters.snmp_trap import decode
from wardkeeper.acquisition.adapters.snmp_trap.user import User
from wardkeeper.acquisition.batching import Gathering
from wardkeeper.acquisition.contract import ConfigError, Malformed, PacedEmit
from wardkeeper.acquisition.held import Arrival, Burst, HeldQueue, Journal
from wardkeeper.acquisition.sockets import listening, plain
from wardkeeper.settings import current

if TYPE_CHECKING:
    from wardkeeper.acquisition.adapters.snmp_trap.usm import Engine

log = logging.getLogger(__name__)

NAME = "snmp_trap"
_MOST_INFORMS = 10_000
_SLICE_S = 0.005
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Config:
    """`[adapters.snmp_trap]` in the settings file.

    host         address to listen on; "0.0.0.0" or "::" for all
    port         UDP
    communities  that v1 and v2c messages may name; others are counted and dropped
    users        of v3: name, auth (MD5, SHA, SHA224, SHA256, SHA384, SHA512), auth_key,
                 priv (DES, AES128, AES192, AES256, AES192C, AES256C), priv_key
    """

    host: str = "127.0.0.1"
    port: int = 9162
    communities: tuple[str, ...] = ("public",)
    users: tuple[User, ...] = ()


@dataclass(frozen=True, slots=True)
class _Inform:
    """One to be answered when it is safe. `key` tells a repeated one."""

    key: tuple[Any, bytes]
    responses: tuple[bytes, ...]


class Intake:
    """Decodes notifications, makes them durable, and answers informs only then."""

    def __init__(self, config: Config, emit: PacedEmit, bound: socket) -> None:
        self._communities = frozenset(each.encode() for each in config.communities)
        self._emit = emit
        self._socket = bound
        self._usm = _usm(config)
        # An inform is repeated until it is answered; each is taken once.
        self._answered: OrderedDict[tuple[Any, bytes], None] = OrderedDict()
        self._informs: dict[tuple[Any, bytes], _Inform] = {}

    async def burst(self, burst: Burst) -> None:
        """Returns when all that came of it is durable."""
        gathering = Gathering(NAME, self._emit.collector, burst.message_id)
        self._informs = {}
        until = time.monotonic() + _SLICE_S
        for arrival in burst.arrivals:
            self._datagram(arrival, gathering)
            if time.monotonic() > until:
                # SNMPv3 takes a millisecond each: the others have their turn in between.
                await asyncio.sleep(0)
                until = time.monotonic() + _SLICE_S
        messages = gathering.messages()
        if messages:
            await self._emit.durable(messages)
        self._emit.count("received", len(burst.arrivals))
        for inform in self._informs.values():
            self._answered[inform.key] = None
            if len(self._answered) > _MOST_INFORMS:
                self._answered.popitem(last=False)
            for response in inform.responses:
                self._send(response, inform.key[0])

    def _datagram(self, arrival: Arrival, gathering: Gathering) -> None:
        raw, address = arrival.raw, arrival.address
        sender = plain(address)
        try:
            who = decode.head(raw)
            if who.version == decode.V3:
                said, inform = self._version3(raw, who, address)
            elif who.community in self._communities:
                said = decode.decode(raw, who)
                inform = _Inform((address, raw), (decode.answer(raw, who),)) if said.is_inform else None
            else:
                self._emit.count("unknown_community")
                return
        except Malformed as malformed:
            self._emit.malformed(raw, sender, malformed.reason)
            return
        if inform is not None:
            is_repeated = inform.key in self._answered or inform.key in self._informs
            self._informs[inform.key] = inform
            if is_repeated:
                self._emit.count("informs_repeated")
                return
        if said is None:
            return
        source = said.agent or sender
        if source != sender:
            said.fields["sender"] = sender
        self._emit.count(f"version.{said.fields['version']}")
        gathering.add(source, arrival.at_ns // _NS_PER_MS, said.kind, said.fields, size=len(raw))

    def _version3(
        self, raw: bytes, who: decode.Head, address: Any
    ) -> tuple[decode.Notification | None, _Inform | None]:
        """Raises Malformed."""
        if self._usm is None:
            self._emit.count("unknown_user")
            return None, None
        received = self._usm.receive(raw, who.pdu_at, who.end)
        for reply in received.replies:
            self._send(reply, address)
        if received.refused:
            self._emit.count(received.refused)
        if not received.pdu:
            return None, None
        said = decode.decode_pdu(received.pdu, received.user)
        # The message differs at each repetition (salt, time), the request does not.
        inform = _Inform((address, received.pdu), received.responses) if said.is_inform else None
        return said, inform

    def _send(self, raw: bytes, address: Any) -> None:
        try:
            self._socket.sendto(raw, address)
        except OSError as error:
            # The sender repeats an inform that is not answered.
            self._emit.count("answers_failed")
            log.debug("snmp_trap.answer_failed error=%s", error)


def _usm(config: Config) -> "Engine | None":
    """None without users: pysnmp takes half a second and 30 MB to load. Raises ConfigError."""
    if not config.users:
        return None
    names = [each.name for each in config.users]
    if len(set(names)) != len(names) or not all(names):
        raise ConfigError("users: each needs a name of its own")
    # Loaded only for those who have users.
    from wardkeeper.acquisition.adapters.snmp_trap.usm import Engine  # noqa: PLC0415 - see above

    return Engine(config.users, current().data_dir / "collect" / NAME)


async def run(config: Config, emit: PacedEmit) -> None:
    with listening(NAME, "udp", config) as bound:
        intake = Intake(config, emit, bound)
        journal = Journal(current().data_dir / "collect" / NAME / "queue")
        try:
            await HeldQueue(bound, journal).run(intake.burst, emit)
        finally:
            journal.close()
