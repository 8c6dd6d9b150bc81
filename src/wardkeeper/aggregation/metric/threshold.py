"""Limits on values: levels, hysteresis, duration. Pure; a state goes in, a state comes out.

A value *reaches* a level at its `raise_at` and *leaves* it beyond its `clear_at`; between the
two the level stays as it was, so that a value that trembles on the limit does not flap. A
level is taken when it was reached by every sample of a run that is long enough in polls and in
seconds; it is left at the first sample beyond `clear_at`. A missing answer (NaN) changes nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt

from wardkeeper.aggregation.metric.codec import Floats

SEVERITIES = ("warning", "minor", "major", "critical")
CLEARED = "cleared"


class BadRule(ValueError):
    """The rule contradicts itself."""


@dataclass(frozen=True, slots=True)
class Level:
    severity: str
    raise_at: float
    clear_at: float


@dataclass(frozen=True, slots=True)
class Rule:
    """levels        from mildest to worst; reaching one means reaching those before it
    is_above      values at or above `raise_at` reach a level, else values at or below it
    for_s, polls  how long a run must last before the level counts
    arm_after_ok  silent on a series until it was once seen below the first level:
                  a port that was never up is unplugged, not broken
    narrowness    of rules with one code that fit a series, the highest applies
    Raises BadRule.
    """

    id: int
    code: str
    metric: str
    levels: tuple[Level, ...]
    instance: str = "*"
    is_above: bool = True
    for_s: float = 0
    polls: int = 1
    arm_after_ok: bool = False
    narrowness: int = 0

    def __post_init__(self) -> None:
        if not self.levels:
            raise BadRule(f"{self.code}: no level")
        if self.polls < 1 or self.for_s < 0:
            raise BadRule(f"{self.code}: at least one poll, no negative duration")
        before = -math.inf
        rank = -1
        for level in self.levels:
            if level.severity not in SEVERITIES:
                raise BadRule(f"{self.code}: severity {level.severity}; one of {', '.join(SEVERITIES)}")
            at, clear = self.signed(level.raise_at), self.signed(level.clear_at)
            if not (math.isfinite(at) and math.isfinite(clear)):
                raise BadRule(f"{self.code}: limits must be numbers")
            if clear > at:
                raise BadRule(
                    f"{self.code}: {level.severity} clears at {level.clear_at}, which is beyond its limit"
                )
            if at < before or SEVERITIES.index(level.severity) <= rank:
                raise BadRule(f"{self.code}: levels must go from mildest to worst")
            before, rank = at, SEVERITIES.index(level.severity)

    def signed(self, value: float) -> float:
        """On a scale where higher is always worse."""
        return value if self.is_above else -value

    def fits(self, metric: str, instance: str) -> bool:
        return metric == self.metric and fnmatchcase(instance, self.instance)


@dataclass(frozen=True, slots=True)
class State:
    """level     0 none, else the place in `Rule.levels` from 1
    is_armed  false: not yet seen well
    since_ms  for each level the start of the run of samples that reach it, 0 for no run
    polls     length of that run
    """

    level: int
    is_armed: bool
    since_ms: tuple[int, ...]
    polls: tuple[int, ...]


def well(rule: Rule) -> State:
    return State(0, True, (0,) * len(rule.levels), (0,) * len(rule.levels))


def unseen(rule: Rule) -> State:
    """Where a rule with `arm_after_ok` begins on a series that it has not seen yet."""
    return replace(well(rule), is_armed=not rule.arm_after_ok)


def step(rule: Rule, state: State, *, time_ms: int, value: float) -> State:
    """The state after one more sample, which must be newer than those before."""
    if math.isnan(value):
        return state
    at = rule.signed(value)
    since, polls = [], []
    for number, level in enumerate(rule.levels):
        reached = at >= rule.signed(level.raise_at)
        since.append((state.since_ms[number] or time_ms) if reached else 0)
        polls.append(state.polls[number] + 1 if reached else 0)
    armed = state.is_armed or at < rule.signed(rule.levels[0].raise_at)
    taken = kept = 0
    for number, level in enumerate(rule.levels, start=1):
        long_enough = polls[number - 1] >= rule.polls and time_ms - since[number - 1] >= rule.for_s * 1000
        if since[number - 1] and long_enough:
            taken = number
        if number <= state.level and at >= rule.signed(level.clear_at):
            kept = number
    # A run is counted only as far as it matters, so that a state that stays does not change at every poll.
    capped = tuple(min(run, rule.polls) for run in polls)
    return State(max(taken, kept) if armed else 0, armed, tuple(since), capped)


@dataclass(frozen=True, slots=True)
class Checks:
    """The rules that apply to a layout, as arrays: check k watches column `columns[k]` by `rules[k]`.

    limits  the first level's `raise_at` on the signed scale
    """

    columns: npt.NDArray[np.intp]
    signs: Floats
    limits: Floats
    rules: tuple[Rule, ...]

    def signed(self, values: Floats) -> Floats:
        """The watched values of polls, shape (polls, checks), on the scale where higher is worse."""
        signed: Floats = values[:, self.columns] * self.signs
        return signed


def compile_checks(series: Sequence[tuple[str, str]], rules: Sequence[Rule]) -> Checks:
    """The narrowest rule of each code for each column of `series` ((metric, instance) each)."""
    by_metric: dict[str, list[Rule]] = {}
    for rule in rules:
        by_metric.setdefault(rule.metric, []).append(rule)
    columns: list[int] = []
    chosen: list[Rule] = []
    for column, (metric, instance) in enumerate(series):
        best: dict[str, Rule] = {}
        for rule in by_metric.get(metric, ()):
            held = best.get(rule.code)
            if rule.fits(metric, instance) and (held is None or rule.narrowness > held.narrowness):
                best[rule.code] = rule
        columns += [column] * len(best)
        chosen += best.values()
    signs = np.array([1.0 if rule.is_above else -1.0 for rule in chosen], np.float64)
    limits = np.array([rule.signed(rule.levels[0].raise_at) for rule in chosen], np.float64)
    return Checks(np.array(columns, np.intp), signs, limits, tuple(chosen))


@dataclass(frozen=True, slots=True)
class Change:
    """Check `check` went from level `before` to `after` at the sample `value`."""

    check: int
    before: int
    after: int
    time_ms: int
    value: float


def suspects(parts: Sequence[tuple[Checks, Floats]]) -> list[npt.NDArray[np.intp]]:
    """For each (checks, values) the checks that some value reaches: one comparison for the whole batch."""
    if not parts:
        return []
    signed = [checks.signed(values).ravel() for checks, values in parts]
    limits = [np.tile(checks.limits, len(values)) for checks, values in parts]
    reached = np.flatnonzero(np.concatenate(signed) >= np.concatenate(limits))
    bounds = np.cumsum([0, *(len(part) for part in signed)])
    found = []
    for at, (checks, _) in enumerate(parts):
        low, high = np.searchsorted(reached, bounds[at : at + 2])
        inside = reached[low:high] - bounds[at]
        found.append(np.unique(inside % max(1, len(checks.rules))))
    return found


def follow(
    checks: Checks, check: int, state: State, *, times_ms: Sequence[int], values: Floats
) -> tuple[State, list[Change]]:
    """One check through all polls of a message. `values` is the message's matrix (polls, columns)."""
    rule, column = checks.rules[check], int(checks.columns[check])
    changes = []
    for time_ms, value in zip(times_ms, values[:, column].tolist(), strict=True):
        after = step(rule, state, time_ms=time_ms, value=value)
        if after.level != state.level:
            changes.append(Change(check, state.level, after.level, time_ms, value))
        state = after
    return state, changes


def is_well(state: State) -> bool:
    """Nothing to remember."""
    return state.level == 0 and state.is_armed and not any(state.since_ms)


def decode_state(level: int, is_armed: bool, progress: Sequence[Sequence[int]], rule: Rule) -> State:  # noqa: FBT001 - a column
    """From a stored row; a row whose rule got other levels since keeps its level as far as it goes."""
    runs = [*progress, *([[0, 0]] * len(rule.levels))][: len(rule.levels)]
    return State(
        min(level, len(rule.levels)), is_armed, tuple(run[0] for run in runs), tuple(run[1] for run in runs)
    )


def encode_progress(state: State) -> list[list[int]]:
    return [list(run) for run in zip(state.since_ms, state.polls, strict=True)]
