"""Polls one device by SNMP. State is kept per target between polls: its session, what it consists of, its counters."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from wardkeeper.acquisition.adapters.snmp_poll import oid
from wardkeeper.acquisition.adapters.snmp_poll.config import Config
from wardkeeper.acquisition.adapters.snmp_poll.decode import Octets, Plan, measure, missing, octets, plan
from wardkeeper.acquisition.adapters.snmp_poll.inventory import (
    COLUMNS,
    SCALARS,
    TEXT_COLUMNS,
    inventory,
)
from wardkeeper.acquisition.adapters.snmp_poll.profile import profile_of
from wardkeeper.acquisition.adapters.snmp_poll.session import Answers, Session, Trouble, Unanswered, opened
from wardkeeper.acquisition.budget import budget_s
from wardkeeper.acquisition.columns import Columns, now_ms
from wardkeeper.acquisition.config import configure
from wardkeeper.acquisition.contract import Device, Emit
from wardkeeper.acquisition.rate import restarted
from wardkeeper.acquisition.text import text
from wardkeeper.messages import Component, DeviceDescribed

__all__ = ["Config", "forget", "poll"]

V3_CLOCK_VALID_S = 120.0
"""RFC 3414 section 2.2.3 gives a message 150 s to be timely; past this we ask for the device's clock again."""

YOUNG_TICKS = 12_000
"""1/100 s. An agent may not show everything at once: net-snmp has no processor load in its first minute. What a
younger agent consists of is read again when it is older than this."""

_INTERFACE_CHANGE = (oid.IF_NUMBER, oid.IF_TABLE_LAST_CHANGE)


@dataclass(slots=True)
class _Known:
    """What is remembered of one target. `given` is the configuration that it was built from."""

    given: Mapping[str, Any]
    config: Config
    session: Session | None = None
    used_s: float = 0.0
    plan: Plan | None = None
    polls: int = 0
    uptime: tuple[int, float] | None = None
    octets: Octets | None = None
    changes: tuple[object, ...] = ()
    is_stale: bool = False
    was_young: bool = False
    lost: int = 0
    told_plan: Plan | None = None
    told_trouble: Trouble | None = None
    described: tuple[Mapping[str, object], tuple[Component, ...]] | None = None


@dataclass(slots=True)
class _Reading:
    """One poll under way; filled as answers come, so that a poll cut short still gives what it had."""

    at_ms: int
    answers: Answers = field(default_factory=dict)
    response_s: float | None = None
    received_s: float = 0.0
    sent_s: float = 0.0
    until_s: float = inf


_KNOWN: dict[str, _Known] = {}


def forget(target: str) -> None:
    """The target is no longer polled."""
    _KNOWN.pop(target, None)


async def poll(device: Device, emit: Emit) -> None:
    """Asks the device once and emits its samples; what it consists of at the first time and when that changed.

    A device that does not answer gives `device.reachable` 0 and nothing else. If it is
    our machine that cannot ask, nothing is emitted.
    Raises ConfigError only.
    """
    known = _known(device)
    reading = _Reading(at_ms=now_ms(), until_s=asyncio.get_running_loop().time() + budget_s(device))
    trouble: Trouble | None = None
    try:
        async with asyncio.timeout_at(reading.until_s):
            await _read(known, reading)
    except Unanswered as error:
        trouble = error.trouble
    except TimeoutError:
        trouble = Trouble.TIMEOUT
    _honour_cancellation()
    if trouble is not None:
        # A new socket next time: an answer to this one that comes late must not meet the next question.
        known.session = None
        emit.count(f"trouble.{trouble}")
    if trouble is Trouble.COLLECTOR:
        # A gap, not "unreachable": else a collector without sockets would raise an alarm for every device.
        return
    if reading.response_s is None:
        columns = Columns()
        columns.add("device.reachable", 0.0)
        columns.emit(device, emit, time_ms=reading.at_ms)
        _describe(known, device, emit, trouble)
        return
    _emit_samples(known, reading, device, emit)
    _describe(known, device, emit, None)


def _honour_cancellation() -> None:
    """Raises CancelledError if the request to stop was swallowed on the way; see Session.until_s."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _known(device: Device) -> _Known:
    known = _KNOWN.get(device.target)
    if known is None or known.given != device.config:
        known = _KNOWN[device.target] = _Known(device.config, configure(Config, device.config))
    return known


async def _read(known: _Known, reading: _Reading) -> None:
    """Fills `reading`. Raises Unanswered."""
    clock = asyncio.get_running_loop().time
    scalars = SCALARS if known.plan is None or _is_discovery_due(known) else known.plan.scalars
    session, answers = await _first_answer(known, scalars, reading)
    answered_s = clock()
    reading.answers.update(answers)
    _notice_restart(known, answers, answered_s)
    changes = tuple(answers.get(each) for each in _INTERFACE_CHANGE)
    current = known.plan
    if current is None or _is_discovery_due(known) or changes != known.changes:
        current = await _discover(known, session, reading)
        known.changes = changes
    known.polls += 1
    for block in current.blocks:
        if block.whole:
            await session.rows(block.column, block.indexes, reading.answers)
        else:
            reading.answers.update(await session.get(block.keys))
        if block.column in {oid.IF_HC_IN_OCTETS, oid.IF_IN_OCTETS}:
            reading.received_s = clock()
        elif block.column in {oid.IF_HC_OUT_OCTETS, oid.IF_OUT_OCTETS}:
            reading.sent_s = clock()
    known.used_s = clock()


def _is_discovery_due(known: _Known) -> bool:
    return known.is_stale or known.polls >= known.config.discover_every


async def _first_answer(
    known: _Known, scalars: tuple[str, ...], reading: _Reading
) -> tuple[Session, Answers]:
    """The first question of a poll, on the session of the last one or on a new one.

    A v3 device that restarted has a new clock and refuses ours, or, asked in
    cipher, says nothing that gufo-snmp hands on. Only a new session tells that from
    wrong credentials or a dead device.
    """
    clock = asyncio.get_running_loop().time
    if known.session is not None:
        try:
            known.session.until_s = reading.until_s
            if known.config.version == "3" and clock() - known.used_s > V3_CLOCK_VALID_S:
                await known.session.begin()
            started = clock()
            answers = await known.session.get(scalars)
        except Unanswered as error:
            known.session = None
            if known.config.version != "3" or error.trouble in {Trouble.REFUSED, Trouble.NETWORK}:
                raise
        else:
            reading.response_s = clock() - started
            return known.session, answers
    session = await opened(known.config, until_s=reading.until_s)
    started = clock()
    answers = await session.get(scalars)
    reading.response_s = clock() - started
    known.session = session
    return session, answers


def _notice_restart(known: _Known, answers: Answers, at_s: float) -> None:
    ticks = answers.get(oid.SYS_UP_TIME)
    if not isinstance(ticks, int):
        known.uptime = None
        return
    if known.uptime is not None and restarted(ticks, known.uptime[0], elapsed_s=at_s - known.uptime[1]):
        known.octets = None
        # A device may number its interfaces anew when it starts.
        known.is_stale = True
    if known.was_young and ticks >= YOUNG_TICKS:
        known.is_stale = True
    known.uptime = (ticks, at_s)


async def _discover(known: _Known, session: Session, reading: _Reading) -> Plan:
    """Reads what the device consists of. The plan of the last time stays if this does not get to the end."""
    answers: Answers = dict(reading.answers)
    if any(name not in answers for name in SCALARS):
        answers.update(await session.get([name for name in SCALARS if name not in answers]))
    for column in TEXT_COLUMNS:
        await session.column(column, 0, answers, text=True)
    for column in COLUMNS:
        await session.column(column, 0, answers)
    profile = profile_of(text(answers.get(oid.SYS_OBJECT_ID)))
    for column in profile.columns if profile else ():
        await session.column(column, 0, answers)
    found = inventory(answers, profile.keys(answers) if profile else ())
    current = known.plan
    if current is None or found.interfaces != current.inventory.interfaces:
        # Counters are kept by row.
        known.octets = None
    if current is None or found != current.inventory:
        current = known.plan = plan(found)
    known.polls = 0
    known.is_stale = False
    known.was_young = known.uptime is not None and known.uptime[0] < YOUNG_TICKS
    return current


def _emit_samples(known: _Known, reading: _Reading, device: Device, emit: Emit) -> None:
    columns = Columns()
    columns.add("device.reachable", 1.0)
    columns.add("snmp.response_ms", None if reading.response_s is None else reading.response_s * 1000)
    if known.plan is not None:
        lost = missing(known.plan, reading.answers)
        if lost:
            emit.count("missing", lost)
        if lost > known.lost:
            # Rows went away. Those that the device never answers, such as errors of a
            # VLAN interface, are no reason to look again at every poll.
            known.is_stale = True
        known.lost = lost
        columns.add("snmp.missing", lost)
        now = octets(known.plan, reading.answers, received_s=reading.received_s, sent_s=reading.sent_s)
        measure(known.plan, reading.answers, now, known.octets, columns)
        known.octets = now
        emit.count("variables", known.plan.asked - lost)
    columns.emit(device, emit, time_ms=reading.at_ms)


def _describe(known: _Known, device: Device, emit: Emit, trouble: Trouble | None) -> None:
    """Says what the device consists of and, in `snmp_error`, why it gives no answer, if that is news."""
    found = known.plan.inventory if known.plan else None
    if (found is None and trouble is None) or (
        known.plan is known.told_plan and trouble is known.told_trouble
    ):
        return
    known.told_plan, known.told_trouble = known.plan, trouble
    attributes: dict[str, str | int | float | bool | None] = dict(found.system) if found else {}
    if trouble is not None:
        attributes["snmp_error"] = str(trouble)
    described = (attributes, found.components() if found else ())
    if described == known.described:
        return
    known.described = described
    emit(
        DeviceDescribed(
            collector=emit.collector,
            target=device.target,
            ci=device.ci,
            attributes=attributes,
            components=described[1],
        )
    )
