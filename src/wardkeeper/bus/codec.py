"""Messages to bytes and back. What cannot be read is reported, never guessed."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache

import msgspec

from wardkeeper.bus.contract import LARGEST_MESSAGE_BYTES, Envelope, MessageTooLarge, MessageUnencodable
from wardkeeper.messages import TOPICS, Message


def _as_dict(value: object) -> object:
    """Any mapping travels as a map; msgspec knows dict alone."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot travel in a message")


_encoder = msgspec.msgpack.Encoder(enc_hook=_as_dict)
_plain = msgspec.msgpack.Decoder()


class Undecodable(ValueError):
    """A topic, a field or a value that this version does not know. The text says which."""


def seal(message: Message) -> Envelope:
    """Raises MessageTooLarge, MessageUnencodable: no carrier will take it as it is."""
    try:
        payload = _encoder.encode(message)
    except (OverflowError, UnicodeEncodeError, TypeError) as error:
        raise MessageUnencodable(f"{message.TOPIC} {message.id}: {error}") from error
    if len(payload) > LARGEST_MESSAGE_BYTES:
        raise MessageTooLarge(
            f"{message.TOPIC} {message.id}: {len(payload)} bytes, at most {LARGEST_MESSAGE_BYTES};"
            " send fewer values at once"
        )
    return Envelope(topic=message.TOPIC, id=message.id, key=message.key, payload=payload)


@cache
def _known_fields(topic: str) -> frozenset[str]:
    return frozenset(field.name for field in fields(TOPICS[topic]))


def unseal(envelope: Envelope) -> Message:
    """Raises Undecodable.

    A field that we do not know is an error too: a newer sender means something by it, and
    acting without it could be wrong. The message is parked and can be retried after the upgrade.
    """
    kind = TOPICS.get(envelope.topic)
    if kind is None:
        raise Undecodable(f"unknown topic {envelope.topic!r}")
    try:
        values = _plain.decode(envelope.payload)
        if not isinstance(values, dict):
            raise Undecodable(f"{envelope.topic}: not a map of fields")
        unknown = values.keys() - _known_fields(envelope.topic)
        if unknown:
            raise Undecodable(f"{envelope.topic}: unknown field {', '.join(sorted(map(str, unknown)))}")
        return msgspec.convert(values, kind)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"{envelope.topic}: {error}") from error
    except UnicodeDecodeError as error:
        raise Undecodable(f"{envelope.topic}: {error}") from error
