"""SNMP notifications: RFC 1157 traps in the form of RFC 3584, RFC 3416 traps and informs. Pure."""

from collections import Counter
from dataclasses import dataclass

from wardkeeper.acquisition.adapters.snmp_trap import ber
from wardkeeper.acquisition.contract import Malformed
from wardkeeper.acquisition.scrub import scrub, scrub_bytes

Fields = dict[str, str | int | float | bool | None]
"""What a notification says.

snmpTrapOID.0  which it is; also the observation's kind
version        "1", "2c" or "3"
uptime         sysUpTime.0 of the sender, hundredths of a second
enterprise     sysObjectID of the sender, or snmpTrapEnterprise.0, if given
sender         address that the datagram came from, if the trap speaks for another (v1's agent-addr)
inform         True if it asked for an answer
user           of SNMPv3
<OID>          each variable; strings as text if they are, else "0x" and hexadecimal digits.
               An OID that comes again has "#2", "#3" ... behind it
"""

V1, V2C, V3 = 0, 1, 3
VERSIONS = {V1: "1", V2C: "2c", V3: "3"}
TRAP_V1, INFORM, TRAP_V2 = 0xA4, 0xA6, 0xA7
RESPONSE = 0xA2

SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
SNMP_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
SNMP_TRAP_ENTERPRISE = "1.3.6.1.6.3.1.1.4.3.0"
_GENERIC = "1.3.6.1.6.3.1.1.5"
_ENTERPRISE_SPECIFIC = 6
MOST_VARIABLES = 500


@dataclass(frozen=True, slots=True)
class Head:
    """The part of a message that says who speaks. `pdu_at`: where the PDU's tag is; for v3, the header."""

    version: int
    community: bytes
    pdu_at: int
    end: int


@dataclass(slots=True)
class Notification:
    """`agent` is v1's agent-addr when it names somebody: the device that the trap is about."""

    kind: str
    fields: Fields
    is_inform: bool = False
    agent: str = ""


def head(raw: bytes) -> Head:
    """Raises Malformed: "version", and what `ber` raises."""
    at, end = ber.expect(raw, 0, len(raw), ber.SEQUENCE)
    if raw[end:].strip(b"\0"):
        raise Malformed("trailing_bytes")
    start, at = ber.expect(raw, at, end, ber.INTEGER)
    version = ber.integer(raw, start, at)
    if version == V3:
        return Head(version, b"", at, end)
    if version not in VERSIONS:
        raise Malformed("version")
    start, at = ber.expect(raw, at, end, ber.OCTET_STRING)
    return Head(version, raw[start:at], at, end)


def decode(raw: bytes, who: Head) -> Notification:
    """The notification of a v1 or v2c message, without what could name a patient.

    Raises Malformed: "not_a_notification", "no_trap_oid", "too_many_variables", and what `ber` raises.
    """
    tag, start, stop = ber.element(raw, who.pdu_at, who.end)
    if who.version == V1 and tag == TRAP_V1:
        return _trap_v1(raw, start, stop)
    if who.version == V2C and tag in (TRAP_V2, INFORM):
        return notification(raw, tag, start, stop)
    raise Malformed("not_a_notification")


def decode_pdu(pdu: bytes, user: str) -> Notification:
    """The notification of a v3 message that has been authenticated and decrypted."""
    tag, start, stop = ber.element(pdu, 0, len(pdu))
    if tag not in (TRAP_V2, INFORM):
        raise Malformed("not_a_notification")
    said = notification(pdu, tag, start, stop)
    said.fields["version"] = VERSIONS[V3]
    said.fields["user"] = user
    return said


def answer(raw: bytes, who: Head) -> bytes:
    """The Response to a v2c inform: the same message with another PDU tag (RFC 3416, 4.2.7)."""
    return raw[: who.pdu_at] + bytes((RESPONSE,)) + raw[who.pdu_at + 1 : who.end]


def notification(raw: bytes, tag: int, start: int, stop: int) -> Notification:
    """RFC 3416, 4.2.6 and 4.2.7."""
    at = start
    for _ in ("request-id", "error-status", "error-index"):
        begin, at = ber.expect(raw, at, stop, ber.INTEGER)
        ber.integer(raw, begin, at)
    fields: Fields = {"snmpTrapOID.0": "", "version": VERSIONS[V2C]}
    _variables(fields, raw, at, stop)
    kind = fields.pop(SNMP_TRAP_OID, None)
    if not isinstance(kind, str) or not kind:
        raise Malformed("no_trap_oid")
    fields["snmpTrapOID.0"] = kind
    uptime = fields.pop(SYS_UP_TIME, None)
    if uptime is not None:
        fields["uptime"] = uptime
    enterprise = fields.pop(SNMP_TRAP_ENTERPRISE, None)
    if enterprise is not None:
        fields["enterprise"] = enterprise
    if tag == INFORM:
        fields["inform"] = True
    return Notification(kind, fields, is_inform=tag == INFORM)


def _trap_v1(raw: bytes, start: int, stop: int) -> Notification:
    """RFC 1157, 4.1.6, in the words of RFC 3584, 3.1."""
    begin, at = ber.expect(raw, start, stop, ber.OID)
    enterprise = ber.oid(raw[begin:at])
    # NetworkAddress: an IpAddress, implicitly tagged.
    begin, at = ber.expect(raw, at, stop, ber.IP_ADDRESS)
    agent = ber.address(raw, begin, at)
    begin, at = ber.expect(raw, at, stop, ber.INTEGER)
    generic = ber.integer(raw, begin, at)
    begin, at = ber.expect(raw, at, stop, ber.INTEGER)
    specific = ber.integer(raw, begin, at)
    begin, at = ber.expect(raw, at, stop, ber.TIME_TICKS)
    uptime = ber.integer(raw, begin, at) & 0xFFFFFFFF
    if not 0 <= generic <= _ENTERPRISE_SPECIFIC or specific < 0:
        raise Malformed("generic_trap")
    kind = f"{enterprise}.0.{specific}" if generic == _ENTERPRISE_SPECIFIC else f"{_GENERIC}.{generic + 1}"
    fields: Fields = {
        "snmpTrapOID.0": kind,
        "version": VERSIONS[V1],
        "uptime": uptime,
        "enterprise": enterprise,
    }
    _variables(fields, raw, at, stop)
    # Agents that do not know their address say 0.0.0.0, or loopback.
    named = "" if agent.startswith(("0.", "127.")) else agent
    return Notification(kind, fields, agent=named)


def _variables(fields: Fields, raw: bytes, at: int, stop: int) -> None:
    at, end = ber.expect(raw, at, stop, ber.SEQUENCE)
    if end != stop:
        raise Malformed("trailing_bytes")
    count = 0
    again: Counter[str] = Counter()
    while at < end:
        start, after = ber.expect(raw, at, end, ber.SEQUENCE)
        name_at, name_end = ber.expect(raw, start, after, ber.OID)
        tag, value_at, value_end = ber.element(raw, name_end, after)
        if value_end != after:
            raise Malformed("trailing_bytes")
        count += 1
        if count > MOST_VARIABLES:
            raise Malformed("too_many_variables")
        name = ber.oid(raw[name_at:name_end])
        value = ber.value(raw, tag, value_at, value_end)
        if name in fields:
            again[name] += 1
            name = f"{name}#{again[name] + 1}"
        fields[name] = _private(value) if isinstance(value, bytes) else value
        at = after


def _private(content: bytes) -> str:
    shown = ber.text(content)
    if not shown.startswith("0x"):
        return scrub(shown)
    # Binary may still hold text, an HL7 message between control characters say.
    clean = scrub_bytes(content)
    if clean == content:
        return shown
    return "".join(each if each.isprintable() else " " for each in clean.decode("utf-8", "replace")).strip()
