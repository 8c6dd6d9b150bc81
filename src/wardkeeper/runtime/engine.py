"""What engines have in common for who watches them."""

from enum import StrEnum


class Pulse(StrEnum):
    """How an engine answers. `busy`: it is recovering and says so; to stop it would only begin that anew."""

    BEATS = "beats"
    BUSY = "busy"
    BROKEN = "broken"
    MUTE = "mute"
