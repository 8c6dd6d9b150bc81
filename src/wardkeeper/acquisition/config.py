"""Turns what the settings file, the command line or a Target says into an adapter's own Config."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

import msgspec

from wardkeeper.acquisition.contract import ConfigError

T = TypeVar("T")


def configure(kind: type[T], given: Mapping[str, Any]) -> T:
    """`given` as a `kind`, a dataclass; text from the command line becomes numbers, booleans, lists ("a,b").

    Raises ConfigError that names the key and what is allowed: an unknown key, a
    missing one, a value of the wrong type.
    """
    if not is_dataclass(kind):
        raise TypeError(f"{kind!r} is not a dataclass")
    known = [each.name for each in fields(kind)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ConfigError(f"unknown setting {', '.join(unknown)}; known: {', '.join(known)}")
    lists = {each.name for each in fields(kind) if get_type_hints(kind)[each.name] == tuple[str, ...]}
    plain = {
        name: value.split(",") if name in lists and isinstance(value, str) else value
        for name, value in given.items()
    }
    try:
        return msgspec.convert(plain, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error
