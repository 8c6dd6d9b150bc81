"""SNMPv3 messages (RFC 3412, RFC 3414), and the only door to pysnmp here.

pysnmp does the cryptography and the reports; what it leaves open is closed here:
it does not know the engine of a sender it has never met (a trap's sender is its own
authority, so the keys depend on it), accepts an unauthenticated message in the name of
a user who has keys, and lets old traps be replayed.
"""

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyasn1.codec.ber import encoder
from pyasn1.error import PyAsn1Error
from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config as pysnmp_config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.error import PySnmpError
from pysnmp.proto.api import v2c
from pysnmp.proto.rfc1902 import OctetString

from wardkeeper.acquisition.adapters.snmp_trap import ber
from wardkeeper.acquisition.adapters.snmp_trap.user import User
from wardkeeper.acquisition.contract import ConfigError, Malformed
from wardkeeper.acquisition.counters import write_atomically

_NOBODY = ("", 0)  # whom pysnmp would answer; the outbox asks only what it says
# What pysnmp's parsers raise on bytes that somebody made up; seen in fuzzing, or one step from it.
_PYSNMP_FAILS = (
    PySnmpError,
    PyAsn1Error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_DOMAIN = (1, 3, 6, 1, 6, 1, 1)  # snmpUDPDomain (RFC 3417)
_MOST_ENGINES = 4096
_TIME_WINDOW_S = 150  # RFC 3414, 2.2.3
_AUTHENTICATED = 2
_SHORTEST_KEY = 8  # RFC 3414, 11.2

_AUTH = {
    "": pysnmp_config.USM_AUTH_NONE,
    "MD5": pysnmp_config.USM_AUTH_HMAC96_MD5,
    "SHA": pysnmp_config.USM_AUTH_HMAC96_SHA,
    "SHA224": pysnmp_config.USM_AUTH_HMAC128_SHA224,
    "SHA256": pysnmp_config.USM_AUTH_HMAC192_SHA256,
    "SHA384": pysnmp_config.USM_AUTH_HMAC256_SHA384,
    "SHA512": pysnmp_config.USM_AUTH_HMAC384_SHA512,
}
_PRIV = {
    "": pysnmp_config.USM_PRIV_NONE,
    "DES": pysnmp_config.USM_PRIV_CBC56_DES,
    "AES": pysnmp_config.USM_PRIV_CFB128_AES,
    "AES128": pysnmp_config.USM_PRIV_CFB128_AES,
    # The standard has no longer keys; two drafts lengthen them differently. net-snmp,
    # Huawei and H3C follow Blumenthal, Cisco follows Reeder (AES192C, AES256C).
    "AES192": pysnmp_config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES256": pysnmp_config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "AES192C": pysnmp_config.USM_PRIV_CFB192_AES,
    "AES256C": pysnmp_config.USM_PRIV_CFB256_AES,
}


@dataclass(frozen=True, slots=True)
class Received:
    """What came of one message.

    pdu        the notification's PDU, authentic and in clear; empty if there is none
    user       who sent it
    replies    to be sent at once: reports that tell the sender our engine or its fault
    responses  to be sent once the notification is safe: the answer to an inform
    refused    short code why a notification was not accepted
    """

    pdu: bytes = b""
    user: str = ""
    replies: tuple[bytes, ...] = ()
    responses: tuple[bytes, ...] = ()
    refused: str = ""


class _Outbox:
    """Where pysnmp puts what it wants to send: the part of a transport that its dispatcher calls."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def register_callback(self, receive: Any) -> None:
        """Nothing is received through here."""

    def send_message(self, outgoingMessage: bytes, transportAddress: Any) -> None:  # noqa: N803, ARG002 - pysnmp's words
        self.sent.append(bytes(outgoingMessage))


@dataclass(slots=True)
class _Accepted:
    pdu: bytes
    user: str
    level: int


class Engine:
    """Our SNMP engine. Its id and the number of its starts are kept in `<folder>/engine.json`.

    Senders of informs remember both: a forgotten id would make them discover us again,
    a start that is not counted would let recorded informs be replayed.
    """

    def __init__(
        self, users: Sequence[User], folder: Path, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._users = {each.name.encode(): _checked(each) for each in users}
        # Hashing a pass phrase takes a megabyte of digesting (RFC 3414, A.2): once, not for every sender.
        self._master_keys = {each.name: _master_keys(each) for each in users}
        self._clock = clock
        self.engine_id, boots = _started(folder / "engine.json")
        self._engine = _engine(self.engine_id, boots)
        self._outbox = _Outbox()
        self._dispatcher = AbstractTransportDispatcher()
        self._dispatcher.register_transport(_DOMAIN, self._outbox)
        self._engine.register_transport_dispatcher(self._dispatcher)
        self._engine.message_dispatcher.register_context_engine_id(
            b"", (v2c.SNMPv2TrapPDU.tagSet, v2c.InformRequestPDU.tagSet), self._accept
        )
        self._accepted: list[_Accepted] = []
        self._known: OrderedDict[tuple[bytes, bytes], None] = OrderedDict()
        self._latest: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        for user in self._users.values():
            self._introduce(user, self.engine_id)

    def receive(self, raw: bytes, header_at: int, end: int) -> Received:
        """`header_at`: behind the version. Raises Malformed."""
        security = _security(raw, header_at, end)
        user = self._users.get(security.user)
        is_ours = security.engine_id in (b"", self.engine_id)
        if not is_ours:
            if user is None:
                return Received(refused="unknown_user")
            self._meet(user, security.engine_id)
        self._outbox.sent.clear()
        self._accepted.clear()
        self._dispatcher.handle_timer_tick(self._clock())
        try:
            self._engine.message_dispatcher.receive_message(
                self._engine,
                _DOMAIN,
                _NOBODY,
                raw,
            )
        except _PYSNMP_FAILS as error:
            raise Malformed(f"v3_{type(error).__name__}") from error
        sent = tuple(self._outbox.sent)
        if not self._accepted:
            return Received(replies=sent, refused="" if sent else "v3_refused")
        accepted = self._accepted[0]
        if user is None or accepted.level < user.level:
            return Received(refused="v3_level")
        if not is_ours and not self._is_fresh(security, accepted.level):
            return Received(refused="v3_replayed")
        return Received(pdu=accepted.pdu, user=accepted.user, responses=sent)

    def _accept(self, *said: Any) -> None:
        """Pysnmp hands over a notification: its processPdu (RFC 3412, 4.2.2.1)."""
        (
            engine,
            model,
            security_model,
            name,
            level,
            context_engine,
            context,
            version,
            pdu,
            size,
            reference,
        ) = said
        self._accepted.append(
            _Accepted(encoder.encode(pdu), name.asOctets().decode("utf-8", "replace"), int(level))
        )
        if pdu.tagSet != v2c.InformRequestPDU.tagSet:
            return
        response = v2c.apiPDU.get_response(pdu)
        v2c.apiPDU.set_varbinds(response, v2c.apiPDU.get_varbinds(pdu))
        engine.message_dispatcher.return_response_pdu(
            engine,
            model,
            security_model,
            name,
            level,
            context_engine,
            context,
            version,
            response,
            size,
            reference,
            {},
        )

    def _meet(self, user: User, engine_id: bytes) -> None:
        """Makes the user's keys for this sender's engine, once; forgets whoever was silent longest."""
        key = (engine_id, user.name.encode())
        if key in self._known:
            self._known.move_to_end(key)
            return
        if len(self._known) >= _MOST_ENGINES:
            (old_id, old_name), _ = self._known.popitem(last=False)
            pysnmp_config.delete_v3_user(self._engine, old_name.decode(), OctetString(old_id))
        self._introduce(user, engine_id)
        self._known[key] = None

    def _introduce(self, user: User, engine_id: bytes) -> None:
        auth_key, priv_key = self._master_keys[user.name]
        pysnmp_config.add_v3_user(
            self._engine,
            user.name,
            _AUTH[user.auth],
            auth_key,
            _PRIV[user.priv],
            priv_key,
            securityEngineId=OctetString(engine_id),
            authKeyType=pysnmp_config.USM_KEY_TYPE_MASTER,
            privKeyType=pysnmp_config.USM_KEY_TYPE_MASTER,
        )

    def _is_fresh(self, security: "_Security", level: int) -> bool:
        """RFC 3414, 3.2.7b: not older than what this engine has already said."""
        if level < _AUTHENTICATED:
            return True
        boots, seconds = self._latest.get(security.engine_id, (0, 0))
        if security.boots < boots or (
            security.boots == boots and security.seconds < seconds - _TIME_WINDOW_S
        ):
            return False
        self._latest[security.engine_id] = max((boots, seconds), (security.boots, security.seconds))
        self._latest.move_to_end(security.engine_id)
        if len(self._latest) > _MOST_ENGINES:
            self._latest.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True)
class _Security:
    engine_id: bytes
    boots: int
    seconds: int
    user: bytes


def _security(raw: bytes, at: int, end: int) -> _Security:
    """UsmSecurityParameters (RFC 3414, 2.4), read before anything is believed. Raises Malformed."""
    _, at = ber.expect(raw, at, end, ber.SEQUENCE)
    at, end = ber.expect(raw, at, end, ber.OCTET_STRING)
    at, end = ber.expect(raw, at, end, ber.SEQUENCE)
    engine_at, at = ber.expect(raw, at, end, ber.OCTET_STRING)
    engine_id = raw[engine_at:at]
    start, at = ber.expect(raw, at, end, ber.INTEGER)
    boots = ber.integer(raw, start, at)
    start, at = ber.expect(raw, at, end, ber.INTEGER)
    seconds = ber.integer(raw, start, at)
    start, at = ber.expect(raw, at, end, ber.OCTET_STRING)
    if engine_id and not 5 <= len(engine_id) <= 32:  # noqa: PLR2004 - SnmpEngineID (RFC 3411, 5)
        raise Malformed("engine_id")
    return _Security(engine_id, boots, seconds, raw[start:at])


def _checked(user: User) -> User:
    for word, chosen, key, known in (
        ("auth", user.auth, user.auth_key, _AUTH),
        ("priv", user.priv, user.priv_key, _PRIV),
    ):
        if chosen not in known:
            raise ConfigError(
                f"user {user.name!r}: {word} {chosen!r}; known: {', '.join(filter(None, known))}"
            )
        if chosen and len(key) < _SHORTEST_KEY:
            raise ConfigError(f"user {user.name!r}: {word}_key is shorter than {_SHORTEST_KEY} characters")
    if user.priv and not user.auth:
        raise ConfigError(f"user {user.name!r}: priv needs auth")
    return user


def _master_keys(user: User) -> tuple[Any, Any]:
    auth, priv = _AUTH[user.auth], _PRIV[user.priv]
    auth_service, priv_service = pysnmp_config.AUTH_SERVICES[auth], pysnmp_config.PRIV_SERVICES[priv]
    return (
        auth_service.hash_passphrase(OctetString(user.auth_key)) if user.auth else None,
        priv_service.hash_passphrase(auth, OctetString(user.priv_key)) if user.priv else None,
    )


def _started(path: Path) -> tuple[bytes, int]:
    """Our engine id and how often it has started, this time included; written before the first message."""
    try:
        kept = json.loads(path.read_bytes())
        engine_id, boots = bytes.fromhex(kept["engine_id"]), int(kept["boots"]) + 1
    except (OSError, ValueError, KeyError, TypeError):
        # RFC 3411, 5: pysnmp's enterprise number, format 5, octets of our own.
        engine_id, boots = bytes.fromhex("80004fb805") + secrets.token_bytes(8), 1
    write_atomically(path, json.dumps({"engine_id": engine_id.hex(), "boots": boots}).encode(), mode=0o600)
    return engine_id, boots


def _engine(engine_id: bytes, boots: int) -> SnmpEngine:
    # The id is set afterwards: handed to the constructor, pysnmp would keep the number
    # of starts under a guessable name in the shared temporary folder.
    engine = SnmpEngine()
    mib = engine.get_mib_builder()
    ours, starts = mib.import_symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots")
    ours.syntax = ours.syntax.clone(engine_id)
    engine.snmpEngineID = ours.syntax
    starts.syntax = starts.syntax.clone(boots)
    return engine
