"""What becomes of one report, step by step, as the moves of the incident's workflow. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp
from random import Random
from typing import Any

from wardkeeper.cli.demo.year import Case

ACCEPT_MIN = {1: 1.2, 2: 2.8, 3: 8.0, 4: 28.0, 5: 150.0}
"""Median minutes until somebody accepts, by priority: most are within their targets, some are not."""
_CONFIRM_MIN, _CLOSES_BY_ITSELF_MIN = 180.0, 72 * 60.0
_WAIT_MIN = {"vendor": 900.0, "user": 150.0, "parts": 600.0, "agreed_date": 1200.0}
_DIAGNOSED, _WORKED_AROUND, _CONFIRMED = 0.5, 0.1, 0.45
"""Shares: noted as diagnosed from afar, helped by a workaround first, confirmed by whoever reported it."""
_LONG_MIN = 20
_EVERYDAY = 3
_REOPEN_REASONS = (
    "用户反映问题又出现了",
    "处理后半天再次发生",
    "换班后同样问题",
    "打印测试正常但实际使用仍有问题",
)
_RETURN_REASONS = ("不属于本组范围", "现场核实为应用问题", "需要网络组先处理", "信息不全,请核实位置")


@dataclass(frozen=True, slots=True)
class Step:
    """`minutes` after the report. `who`: desk, engineer, requester, system.

    verb    assign (to `team`: desk, usual, other; `to`: engineer, desk or nobody), move
    """

    minutes: float
    verb: str
    who: str
    name: str = ""
    team: str = ""
    to: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def whole(rng: Random, case: Case, *, priority: int, solution: str, cause: str) -> list[Step]:
    """From dispatch to closing, in order of time."""
    steps = _taken(rng, case, priority)
    at = steps[-1].minutes
    if case.is_on_site:
        at += rng.uniform(2, 14)
        steps.append(Step(at, "move", "engineer", "arrive"))
    elif not case.is_first_call and rng.random() < _DIAGNOSED:
        at += rng.uniform(0.5, 5)
        steps.append(Step(at, "move", "engineer", "diagnose"))
    worked = at
    if case.pending:
        at += 0.4 * case.handling_min
        steps.append(Step(at, "move", "engineer", "pend", answers={"pending_reason": case.pending}))
        at += _WAIT_MIN[case.pending] * exp(0.8 * rng.gauss(0, 1))
        steps.append(Step(at, "move", "engineer", "resume"))
    elif case.handling_min > _LONG_MIN and rng.random() < _WORKED_AROUND:
        at += 0.6 * case.handling_min
        steps.append(Step(at, "move", "engineer", "restore", answers={"workaround": "先用备机替代,业务恢复"}))
    solver = "desk" if case.is_first_call else "engineer"
    at = max(at, worked) + case.handling_min * (0.6 if case.pending else 1.0)
    answers = {"cause": cause, "solution": solution, "minutes": max(1, round(case.handling_min))}
    steps.append(Step(at, "move", solver, "resolve", answers=answers))
    at = _closed(rng, steps, at)
    if case.is_reopened:
        at += rng.uniform(20, 2400)
        steps.append(Step(at, "move", "requester", "reopen", answers={"reason": rng.choice(_REOPEN_REASONS)}))
        at += ACCEPT_MIN[priority] * exp(0.6 * rng.gauss(0, 1))
        steps.append(Step(at, "move", solver, "accept"))
        at += case.handling_min
        steps.append(Step(at, "move", solver, "resolve", answers=answers))
        _closed(rng, steps, at)
    return steps


def _taken(rng: Random, case: Case, priority: int) -> list[Step]:
    """Until somebody has accepted it."""
    if case.is_first_call:
        return [
            Step(0.2, "assign", "desk", team="desk", to="desk"),
            Step(0.2, "move", "system", "assign"),
            Step(0.3 + rng.random(), "move", "desk", "accept"),
        ]
    at = 0.1 + rng.random()
    steps = [Step(at, "assign", "system", team="usual"), Step(at, "move", "system", "assign")]
    if case.is_reassigned:
        at += rng.uniform(1, 6 if priority < _EVERYDAY else 25)
        steps.append(Step(at, "assign", "desk", team="other", note=rng.choice(_RETURN_REASONS)))
    at += ACCEPT_MIN[priority] * exp(0.7 * rng.gauss(0, 1))
    steps += [Step(at, "assign", "engineer", to="engineer"), Step(at, "move", "engineer", "accept")]
    return steps


def _closed(rng: Random, steps: list[Step], at: float) -> float:
    """Whoever reported it confirms, or it closes by itself after three days."""
    waits = min(_CONFIRM_MIN * exp(1.0 * rng.gauss(0, 1)), _CLOSES_BY_ITSELF_MIN)
    who = "requester" if rng.random() < _CONFIRMED else "desk"
    if waits == _CLOSES_BY_ITSELF_MIN:
        who = "system"
    at += waits
    steps.append(Step(at, "move", who, "confirm"))
    return at


_TAKEN = ("accepted", "on_site", "diagnosing", "pending", "restored", "resolved")
_LAST = {
    "on_site": ("arrive", {}),
    "diagnosing": ("diagnose", {}),
    "pending": ("pend", {}),
    "restored": ("restore", {"workaround": "先用备机替代,业务恢复"}),
}


def so_far(rng: Random, state: str, *, age_min: float, solution: str, cause: str) -> list[Step]:
    """How a record that is open for `age_min` came into `state`."""
    if state == "new":
        return []
    at = min(0.8, 0.05 * age_min)
    steps = [Step(at, "assign", "system", team="usual"), Step(at, "move", "system", "assign")]
    if state == "returned":
        reason = rng.choice(_RETURN_REASONS)
        steps.append(Step(0.6 * age_min, "move", "engineer", "return", answers={"reason": reason}))
    if state in _TAKEN:
        at = age_min * rng.uniform(0.06, 0.15)
        steps += [Step(at, "assign", "engineer", to="engineer"), Step(at, "move", "engineer", "accept")]
    at = age_min * rng.uniform(0.4, 0.8)
    if state in _LAST:
        name, answers = _LAST[state]
        if state == "pending":
            answers = {"pending_reason": rng.choice(("user", "vendor", "parts", "agreed_date"))}
        steps.append(Step(at, "move", "engineer", name, answers=answers))
    if state == "resolved":
        done = {"cause": cause, "solution": solution, "minutes": max(1, round(at * 0.6))}
        steps.append(Step(at, "move", "engineer", "resolve", answers=done))
    return steps
