"""Which rooms a datum enters, in the order in which it first does."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# Rooms proper. Registry, bus, settings and runtime are the ground that every room stands on.
FLOORS_OF_ROOMS = ("acquisition", "aggregation", "processing", "presentation")

# What else stands in presentation (who reads, which address leads where) is its floor, not a room.
FACES = {"web", "portal", "api", "board", "notify", "report"}


def room_of(module: str) -> str:
    """ "aggregation.alarm" of "wardkeeper.aggregation.alarm.services"; "" for what is no room."""
    parts = module.split(".")
    if parts[0] != "wardkeeper" or len(parts) == 1:
        return ""
    if parts[1] == "ledger":
        return "ledger"
    if parts[1] == "acquisition":
        # Its own modules carry what an adapter says; only an adapter is a room.
        return ".".join(parts[1:4]) if parts[2:3] == ["adapters"] and len(parts) > 3 else ""
    if parts[1] == "presentation" and parts[2:3] and parts[2] not in FACES:
        return ""
    return ".".join(parts[1:3]) if parts[1] in FLOORS_OF_ROOMS and len(parts) > 2 else ""


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Within it, the list grows by each room that is entered for the first time in this thread."""
    entered: list[str] = []

    def look(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            room = room_of(frame.f_globals.get("__name__", ""))
            if room and room not in entered:
                entered.append(room)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield entered
    finally:
        sys.setprofile(before)
