"""One value from outside, checked against the field it is meant for."""

import dataclasses
import re
from typing import Any, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

TRUE = {"true", "yes", "on", "1"}
FALSE = {"false", "no", "off", "0"}
LAST_PORT = 65535
LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})")


class Refused(Exception):
    """The value does not fit; the text says what would."""


def kind_of(field: dataclasses.Field[Any]) -> str:
    """Name of the field's type for people: text, whole number, yes or no, list of texts."""
    if field.type is bool:
        return "true or false"
    if field.type is int:
        return "a whole number"
    if field.type is float:
        return "a number"
    if get_origin(field.type) is tuple:
        return "a list of texts"
    return "a text"


def allowed(field: dataclasses.Field[Any]) -> str:
    """What the field takes, in words: the reference page and every refusal use them."""
    rules = field.metadata
    if "choices" in rules:
        return "one of " + ", ".join(rules["choices"])
    text = kind_of(field)
    if "min" in rules:
        text += f" from {rules['min']} to {rules['max']}"
    if "form" in rules:
        text = FORMS[rules["form"]][0]
    return text


def from_file(field: dataclasses.Field[Any], value: object) -> Any:
    """A TOML value as the field's type. Raises Refused; a number in quotes is not a number."""
    wanted = field.type
    if get_origin(wanted) is tuple:
        if not isinstance(value, list) or not all(isinstance(item, get_args(wanted)[0]) for item in value):
            raise Refused(allowed(field))
        return _checked(field, tuple(value))
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return _checked(field, float(value))
    # bool is a subclass of int: `workers = true` would otherwise mean one worker.
    if type(value) is not wanted:
        raise Refused(allowed(field))
    return _checked(field, value)


def from_environment(field: dataclasses.Field[Any], text: str) -> Any:
    """A variable's text as the field's type; lists are separated by commas. Raises Refused."""
    wanted = field.type
    try:
        if wanted is bool:
            lowered = text.strip().lower()
            if lowered not in TRUE | FALSE:
                raise Refused(allowed(field))
            return lowered in TRUE
        if wanted is int:
            return _checked(field, int(text))
        if wanted is float:
            return _checked(field, float(text))
    except ValueError as error:
        raise Refused(allowed(field)) from error
    if get_origin(wanted) is tuple:
        return _checked(field, tuple(part.strip() for part in text.split(",") if part.strip()))
    return _checked(field, text)


def _checked(field: dataclasses.Field[Any], value: Any) -> Any:
    rules = field.metadata
    if "choices" in rules and value not in rules["choices"]:
        raise Refused(allowed(field))
    if "min" in rules and not rules["min"] <= value <= rules["max"]:
        raise Refused(allowed(field))
    if "form" in rules and not FORMS[rules["form"]][1](value):
        raise Refused(allowed(field))
    return value


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_listen(text: str) -> bool:
    match = LISTEN.fullmatch(text)
    return match is not None and int(match[2]) <= LAST_PORT


def _has_scheme(*schemes: str) -> Any:
    def check(text: str) -> bool:
        # Several servers of one cluster are separated by commas; each is a whole address.
        return not text or all(urlsplit(part.strip()).scheme in schemes for part in text.split(","))

    return check


def _is_dsn(text: str) -> bool:
    # libpq's own comma stands inside the host part, so the text is not split here.
    return not text or urlsplit(text).scheme in {"postgresql", "postgres"}


def _are_origins(origins: tuple[str, ...]) -> bool:
    return all(re.fullmatch(r"https?://[^/\s]+", origin) for origin in origins)


FORMS: dict[str, tuple[str, Any]] = {
    "timezone": ("an IANA time zone such as Asia/Shanghai", _is_timezone),
    "listen": ("HOST:PORT, an IPv6 host in brackets", _is_listen),
    "listen or nothing": ("HOST:PORT or nothing", lambda text: not text or _is_listen(text)),
    "dsn": ("postgresql://user:password@host:port/database or nothing", _is_dsn),
    "bus": ("nats://, tls:// or ws:// addresses separated by commas, memory://, or nothing",
            _has_scheme("nats", "tls", "ws", "wss", "memory")),
    "url": ("a http:// or https:// address or nothing", _has_scheme("http", "https")),
    "origins": ("a list of origins such as https://help.example", _are_origins),
}  # fmt: skip
