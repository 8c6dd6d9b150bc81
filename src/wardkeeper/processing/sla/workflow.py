"""Which clocks a record has, and what a step of its workflow does to each: data, and one pure function."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class ClockName(StrEnum):
    ACCEPT = "accept"
    RESTORE = "restore"
    RESOLVE = "resolve"


class Running(StrEnum):
    """Where a clock is, whatever its target."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class EventKind(StrEnum):
    """What can happen to a clock. `warn` is that somebody was told; it does not move the clock."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    RETARGET = "retarget"
    WARN = "warn"


CANCELLED = "cancelled"
REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class ClockRule:
    """
    stops_in  the record's states that end the clock
    pauses    whether waiting for the user stands it still
    reopens   whether it goes on where it stood when the record is reopened
    """

    stops_in: frozenset[str]
    pauses: bool = True
    reopens: bool = True


@dataclass(frozen=True, slots=True)
class Practice:
    """How one kind of record drives its clocks.

    waiting         the state in which the record waits for somebody
    pausing         reasons for waiting that stand the user's clock still. Vendor, parts and
                    change do not: the user has no service meanwhile, whoever is to blame
    void            states in which nothing is owed any more
    ended           states from which the record can be reopened
    """

    clocks: Mapping[ClockName, ClockRule]
    waiting: str
    pausing: frozenset[str]
    void: frozenset[str]
    ended: frozenset[str]


_ENDED = frozenset({"resolved", "closed"})
_RESTORED = _ENDED | {"restored"}
_TAKEN = _RESTORED | {"accepted", "on_site", "diagnosing", "pending"}

PRACTICES: Mapping[str, Practice] = {
    "incident": Practice(
        clocks={
            ClockName.ACCEPT: ClockRule(_TAKEN, pauses=False, reopens=False),
            ClockName.RESTORE: ClockRule(_RESTORED),
            ClockName.RESOLVE: ClockRule(_ENDED),
        },
        waiting="pending",
        pausing=frozenset({"user", "agreed_date"}),
        void=frozenset({"merged", "cancelled"}),
        ended=_ENDED,
    )
}


class Step(NamedTuple):
    """One move of a record: its states before and after, and what it waits for if it waits."""

    before: str
    after: str
    pending_reason: str


def effect(
    practice: Practice, clock: ClockName, running: Running, step: Step
) -> tuple[EventKind, str] | None:
    """What `step` does to a clock, and why; None: nothing."""
    rule = practice.clocks[clock]
    is_live = running in {Running.RUNNING, Running.PAUSED}
    if step.after in practice.void:
        return (EventKind.STOP, CANCELLED) if is_live else None
    if step.after in rule.stops_in:
        return (EventKind.STOP, "") if is_live else None
    if step.before in practice.ended:
        # Not from `restored`: going on after a workaround does not take the service away again.
        return (EventKind.RESUME, REOPENED) if rule.reopens and running is Running.STOPPED else None
    if not rule.pauses or not is_live:
        return None
    waits = step.after == practice.waiting and step.pending_reason in practice.pausing
    if waits and running is Running.RUNNING:
        return EventKind.PAUSE, step.pending_reason
    return (EventKind.RESUME, "") if not waits and running is Running.PAUSED else None
