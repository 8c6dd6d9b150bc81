"""Text as devices send it."""


def text(value: object) -> str:
    """Bytes as text: UTF-8, else GB 18030, else one character a byte. Without control characters.

    Chinese switches and UPS cards send what the console typed, often GBK. The order
    matters: GB 18030 accepts almost any UTF-8 and would garble it.
    """
    if value is None:
        return ""
    if not isinstance(value, bytes):
        return str(value)
    for encoding in ("utf-8", "gb18030", "latin-1"):
        try:
            decoded = value.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    return "".join(each if each.isprintable() else " " for each in decoded).strip()
