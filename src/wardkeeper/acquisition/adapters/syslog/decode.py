"""A syslog line as an observation's fields. RFC 5424, RFC 3164, and what vendors made of the latter. Pure."""

import re
from datetime import date
from zoneinfo import ZoneInfo

from wardkeeper.acquisition.adapters.syslog.stamp import local_stamp, standard_stamp
from wardkeeper.acquisition.contract import Malformed
from wardkeeper.acquisition.scrub import MARK, is_suspect, scrub, scrub_named

Fields = dict[str, str | int]
"""What a line says, in RFC 5424's words; a part that the line lacks is not there.

facility, severity    numbers (RFC 5424, 6.2.1)
timestamp             ISO 8601 with offset, by the device's own clock
hostname, app_name, procid, msgid
<SD-ID>.<PARAM-NAME>  structured data
message               the text
defect                why the line is not as its standard wants it, if so; it was still understood:
                      "pri_missing", "pri_out_of_range" (RFC 3164, 4.3.3: counts as user.notice),
                      "encoding", "stamp", "structured_data"
msgid of a line in the old form is the vendor's mnemonic: "LINK-3-UPDOWN", "IFNET/4/LINK_STATE".
"""

LONGEST_NAME = 255
MOST_PARAMETERS = 256

_PRI = re.compile(r"<(\d{1,3})>")
_LARGEST_PRI = 191
_USUAL_PRI = (1, 5)  # user.notice
_NIL = "-"
_HEADER = ("hostname", "app_name", "procid", "msgid")
_MODERN = re.compile(r"1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32})(?: (.*)|)", re.DOTALL)
_PARAMETER = re.compile(r' ([^ =\]"\x00-\x20]{1,32})="((?:[^"\\]|\\.)*+)"', re.DOTALL)
_SD_ID = re.compile(r'\[([^ =\]"]{1,64})')
_ESCAPED = re.compile(r'\\(["\\\]])')
# Cisco: a colon (Nexus), sequence number, origin-id; `*` a clock never set, `.` one out of step.
_OLD_PREFIX = re.compile(r"(?:: )?(?:(\d{1,10}): )?(?:([^\s:%]{1,255}): )?[*.]?")
_OLD_STAMP = re.compile(
    r"((?:\d{4} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]?\d(?: \d{4})? \d\d:\d\d:\d\d"
    r"(?:[.:]\d{1,6})?(?: \d{4}(?= ))?"
    r"(?:[+-]\d\d:?\d\d| (?:UTC|GMT|[A-Z]{2,4}T)(?=:))?"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)(?: ?: ?| )"
)
_TAG = re.compile(r"([^\s\[\]:%]{1,48})(?:\[([^\]\s]{1,128})\]: ?|:(?: |$))")
_HOST = re.compile(r"([^\s:%\[\]]{1,255}|\[?[0-9A-Fa-f:.]{2,45}\]?) (?:: )?")
_MNEMONIC = re.compile(
    r"%%?(?:\d\d)?([A-Za-z0-9_]{1,32}(?:-[A-Za-z0-9_]{1,32})?[-/][0-7][-/][A-Za-z0-9_]{1,64})"
)
_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n\r"} | {127: None, 13: "\n"}
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_BOM = "\ufeff"


def decode(raw: bytes, *, today: date, zone: ZoneInfo) -> Fields:
    """The fields of one line or datagram.

    today  in `zone`; tells the year of a stamp that has none
    zone   of stamps that name none
    Raises Malformed: "empty", "not_text".
    """
    text, defect = _text(raw)
    found = _PRI.match(text)
    if found and (pri := int(found[1])) <= _LARGEST_PRI:
        facility, severity = divmod(pri, 8)
        start = found.end()
    else:
        if _NOT_TEXT.search(text):
            raise Malformed("not_text")
        (facility, severity), start = _USUAL_PRI, 0
        defect = "pri_out_of_range" if found else "pri_missing"
    text = _clean(text)
    fields: Fields = {"facility": facility, "severity": severity}
    modern = _MODERN.match(text, start)
    trouble = (
        _modern(fields, modern) if modern and start else _old(fields, text[start:].lstrip(" "), today, zone)
    )
    if trouble or defect:
        fields["defect"] = defect or trouble
    if is_suspect(text):
        return _private(fields)
    return fields


def _text(raw: bytes) -> tuple[str, str]:
    """The line as text without its ending, and a defect. UTF-8, else GB 18030 as Chinese consoles type it."""
    raw = raw.rstrip(b"\r\n\0 ")
    if not raw:
        raise Malformed("empty")
    try:
        text = raw.decode()
        # RFC 5424 puts a byte order mark before UTF-8 text; in the middle of a line it says nothing.
        return (text if text.isascii() else text.replace(_BOM, "")), ""
    except UnicodeDecodeError:
        try:
            return raw.decode("gb18030"), ""
        except UnicodeDecodeError:
            if not raw.startswith(b"<"):
                raise Malformed("not_text") from None
            return raw.decode(errors="replace"), "encoding"


def _modern(fields: Fields, found: re.Match[str]) -> str:
    """RFC 5424 after the PRI. Returns a defect or ""."""
    stamp, *named, rest = found.groups()
    defect = ""
    if standard_stamp(stamp):
        fields["timestamp"] = stamp
    elif stamp != _NIL:
        defect = "stamp"
    for name, value in zip(_HEADER, named, strict=True):
        if value != _NIL:
            fields[name] = value
    if not rest:
        return defect
    end = 1 if rest[0] == _NIL and rest[1:2] in ("", " ") else 0
    if rest[0] == "[":
        end = _structured(fields, rest)
        if end < 0:
            defect, end = "structured_data", 0
    message = rest[end:].removeprefix(" ")
    if message:
        fields["message"] = message
    return defect


def _clean(text: str) -> str:
    """Without control characters but tab and newline: neither PostgreSQL nor a page can hold them all."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def _structured(fields: Fields, text: str) -> int:
    """Adds the parameters; returns where they end in `text`, or -1 if they are broken or too many."""
    position, added = 0, {}
    while text[position : position + 1] == "[":
        element = _SD_ID.match(text, position)
        if element is None:
            return -1
        position = element.end()
        while parameter := _PARAMETER.match(text, position):
            value = parameter[2]
            if "\\" in value:
                value = _ESCAPED.sub(r"\1", value)
            added[f"{element[1]}.{parameter[1]}"] = value
            position = parameter.end()
        if text[position : position + 1] != "]" or len(added) > MOST_PARAMETERS:
            return -1
        position += 1
    fields.update(added)
    return position


def _old(fields: Fields, text: str, today: date, zone: ZoneInfo) -> str:
    """RFC 3164 after the PRI, or any text at all. Returns a defect or ""."""
    defect, start = "", 0
    stamp = _OLD_STAMP.match(text)
    if stamp is None and (prefix := _OLD_PREFIX.match(text)):
        stamp = _OLD_STAMP.match(text, prefix.end())
        if stamp and prefix[2]:
            fields["hostname"] = prefix[2]
        elif stamp is None and prefix[1] and text.startswith("%", prefix.end()):
            start = prefix.end()
    tag = _TAG.match(text, start)
    if stamp:
        start = stamp.end()
        when = local_stamp(stamp[1], today, zone)
        if when:
            fields["timestamp"] = when
        else:
            defect = "stamp"
        # "host tag: text", but also "tag: text" (no host) and "%LINK-3-UPDOWN: text".
        tag = _TAG.match(text, start)
        if tag is None and (host := _HOST.match(text, start)):
            fields["hostname"] = host[1]
            start = host.end()
            tag = _TAG.match(text, start)
    message = _tagged(fields, tag, text[start:])
    if message:
        fields["message"] = message
    return defect


def _tagged(fields: Fields, tag: re.Match[str] | None, text: str) -> str:
    """Adds what stands before the message proper, and returns that."""
    if tag:
        text = tag.string[tag.end() :]
        if text.startswith("%"):
            # "fw1: %ASA-4-106023: text": Cisco ends the host with a colon.
            fields["hostname"] = tag[1]
        else:
            fields["app_name"] = tag[1]
            if tag[2]:
                fields["procid"] = tag[2]
    if text.startswith("%") and (mnemonic := _MNEMONIC.match(text)):
        fields["msgid"] = mnemonic[1]
    return text


def _private(fields: Fields) -> Fields:
    """Without what could name a patient: in every text, and in parameters that are named after one."""
    clean: Fields = {}
    for name, value in fields.items():
        shown = scrub(name)
        if isinstance(value, str):
            label = name.rpartition(".")[2]
            clean[shown] = MARK if shown != name else scrub_named(label, value)
        else:
            clean[shown] = value
    return clean
