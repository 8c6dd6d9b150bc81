"""Text as devices and web pages send it."""

import codecs


def decoded(raw: bytes) -> str:
    """UTF-8, else GB 18030, else one character a byte. The end may be cut off inside a character.

    Chinese switches, UPS cards and intranet pages send GBK as often as UTF-8 and do not
    say which. The order matters: GB 18030 accepts almost any UTF-8 and would garble it.
    What fails as UTF-8 only by its last few bytes was cut off; one proper character
    before that is proof enough, for GBK hardly ever makes one.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    for encoding in ("utf-8", "gb18030"):
        try:
            found = codecs.getincrementaldecoder(encoding)().decode(raw)
        except UnicodeDecodeError:
            continue
        if not found.isascii():
            return found
    return raw.decode("latin-1")


def text(value: object) -> str:
    """A value for people: decoded, without control characters and padding."""
    if value is None:
        return ""
    found = decoded(value) if isinstance(value, bytes) else str(value)
    return "".join(each if each.isprintable() else " " for each in found).strip()
