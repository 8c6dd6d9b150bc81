"""Recordings of devices in the .snmprec form of snmpsim: `OID|TAG|VALUE` lines. Pure."""

from wardkeeper.acquisition.contract import Malformed

_INTEGERS = frozenset(("2", "65", "66", "67", "70"))


def answers(raw: bytes) -> dict[str, int | str | bytes]:
    """A recording as the answers that the device would give. Raises Malformed.

    Tags are those of ASN.1 in decimal, with an `x` if the value is written in hexadecimal:
    2 INTEGER, 4 OCTET STRING, 6 OBJECT IDENTIFIER, 64 IpAddress, 65 Counter32, 66 Gauge32,
    67 TimeTicks, 70 Counter64. Lines that begin with # say something to people.
    """
    found: dict[str, int | str | bytes] = {}
    for line in raw.splitlines():
        if not line.strip() or line.startswith(b"#"):
            continue
        try:
            key, tag, value = line.decode("latin-1").split("|", 2)
        except ValueError as error:
            raise Malformed("line") from error
        found[key.removeprefix(".")] = _value(tag, value)
    return found


def _value(tag: str, value: str) -> int | str | bytes:
    kind = tag.removesuffix("x")
    try:
        content = bytes.fromhex(value) if tag.endswith("x") else value.encode("latin-1")
        if kind in _INTEGERS:
            return int(value)
    except ValueError as error:
        raise Malformed("value") from error
    return value if kind == "6" else content
