"""Values against limits: states from the database, one comparison for the batch, conditions out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.db import connection, transaction

from wardkeeper.aggregation.alarm.condition import Condition
from wardkeeper.aggregation.discovery import queries as discovery
from wardkeeper.aggregation.metric import catalogue, threshold
from wardkeeper.aggregation.metric.codec import Floats
from wardkeeper.aggregation.metric.models import ThresholdRule
from wardkeeper.aggregation.metric.services.feeds import Held
from wardkeeper.aggregation.metric.services.layouts import Known
from wardkeeper.registry.cmdb import queries as cmdb

SOURCE = "metric"
RECOMPILE_MS = 300_000
"""A CI's type or tier may change without a rule changing; checks are compiled again this often."""
MOST_CACHED = 50_000

StateKey = tuple[int, int]
"""Rule and series."""
States = dict[StateKey, threshold.State]

_states: dict[int, tuple[int, States]] = {}
"""By feed: the revision and its states, as this process committed or read them last."""
_rules: dict[int, list[tuple[ThresholdRule, threshold.Rule]]] = {}
"""By revision; only the newest is kept."""

_LOAD = """
SELECT feed_id, rule_id, series_id, level, is_armed, progress FROM metric_thresholdstate
WHERE feed_id = ANY(%s)
"""
_SAVE = """
INSERT INTO metric_thresholdstate (rule_id, series_id, feed_id, level, is_armed, progress)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::bool[], %s::jsonb[])
ON CONFLICT (rule_id, series_id) DO UPDATE
SET feed_id = excluded.feed_id, level = excluded.level, is_armed = excluded.is_armed, progress = excluded.progress
"""
_DROP = """
DELETE FROM metric_thresholdstate s
USING unnest(%s::bigint[], %s::bigint[]) AS gone (rule, series)
WHERE s.rule_id = gone.rule AND s.series_id = gone.series
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The polls of one message that are newer than all before: times ascending, values (polls, columns)."""

    feed: Held
    layout: Known
    times_ms: Sequence[int]
    values: Floats


def forget() -> None:
    """Empties this process's copy; for tests that start over with an empty database."""
    _states.clear()
    _rules.clear()


def evaluate(parts: Sequence[Part], *, now_ms: int) -> list[Condition]:
    """What began or ceased to hold, in order of time per series; writes the states that changed.

    At most five statements, whatever the number of samples. Marks feeds whose states changed.
    """
    if not parts:
        return []
    checks = _compiled(parts, now_ms=now_ms)
    before = _load({part.feed.id: part.feed for part in parts})
    after = {feed: dict(states) for feed, states in before.items()}
    conditions: list[Condition] = []
    reached = threshold.suspects([(check, part.values) for check, part in zip(checks, parts, strict=True)])
    begun: set[StateKey] = set()
    for part, compiled, suspects in zip(parts, checks, reached, strict=True):
        states = after[part.feed.id]
        if part.layout.fresh:
            _begin(part.layout, compiled, states, begun)
        if len(suspects) or states:
            conditions += _follow(part, compiled, suspects.tolist(), states)
    _save(parts, before, after)
    return _named(conditions)


def _named(conditions: Sequence[Condition]) -> list[Condition]:
    """With the names of ports and file systems, as a person knows them; their number where none is known."""
    asked = {each.ci for each in conditions if each.ci is not None and each.parameters["instance"]}
    names = discovery.names_of(asked) if asked else {}
    found = []
    for each in conditions:
        kind = str(each.parameters["metric"]).partition(".")[0]
        instance = str(each.parameters["instance"])
        name = names.get((each.ci or 0, kind, instance), instance)
        found.append(replace(each, parameters={**each.parameters, "name": name}) if instance else each)
    return found


def _begin(layout: Known, checks: threshold.Checks, states: States, begun: set[StateKey]) -> None:
    """Series seen for the first time wait to be seen well, where the rule asks for it; `begun` are those so far."""
    for rule, column in zip(checks.rules, checks.columns.tolist(), strict=True):
        key = (rule.id, layout.series[column])
        if rule.arm_after_ok and key[1] in layout.fresh and key not in begun:
            begun.add(key)
            states[key] = threshold.unseen(rule)


def _follow(part: Part, checks: threshold.Checks, suspects: Iterable[int], states: States) -> list[Condition]:
    """Moves `states` through the polls of one message."""
    keys = [
        (rule.id, part.layout.series[column])
        for rule, column in zip(checks.rules, checks.columns.tolist(), strict=True)
    ]
    chosen = set(suspects)
    if states:
        chosen.update(at for at, key in enumerate(keys) if key in states)
    changes: list[threshold.Change] = []
    for at in sorted(chosen):
        rule, key = checks.rules[at], keys[at]
        state = states.get(key)
        state, moved = threshold.follow(
            checks, at, state or threshold.well(rule), times_ms=part.times_ms, values=part.values
        )
        changes += moved
        if threshold.is_well(state):
            states.pop(key, None)
        else:
            states[key] = state
    changes.sort(key=lambda change: change.time_ms)
    return [_condition(part, checks, change) for change in changes] + _orphans(part, checks, keys, states)


def _orphans(
    part: Part, checks: threshold.Checks, keys: Sequence[StateKey], states: States
) -> list[Condition]:
    """Clears what a rule raised that no longer applies: disabled, or another one is narrower now."""
    mine, current = set(part.layout.series), set(keys)
    found = []
    for key in [key for key in states if key[1] in mine and key not in current]:
        state = states.pop(key)
        code = _codes().get(key[0])
        column = part.layout.series.index(key[1])
        raised = any(
            rule.code == code and at == column and (held := states.get(other)) is not None and held.level
            for rule, at, other in zip(checks.rules, checks.columns.tolist(), keys, strict=True)
        )
        if state.level and code and not raised:
            metric, instance = part.layout.names[column]
            found.append(
                Condition(
                    fingerprint=f"{part.feed.ci}:{code}:{instance}",
                    ci=part.feed.ci,
                    condition=code,
                    severity=threshold.CLEARED,
                    parameters={"metric": metric, "instance": instance},
                    happened_at=_moment(part.times_ms[-1]),
                    source=SOURCE,
                )
            )
    return found


def _condition(part: Part, checks: threshold.Checks, change: threshold.Change) -> Condition:
    rule = checks.rules[change.check]
    metric, instance = part.layout.names[int(checks.columns[change.check])]
    level = rule.levels[(change.after or change.before) - 1]
    parameters: dict[str, str | int | float | bool | None] = {
        "metric": metric,
        "instance": instance,
        "value": round(change.value, 3),
        "limit": level.raise_at if change.after else level.clear_at,
    }
    if catalogue.metric(metric).unit == "share":
        parameters["percent"] = round(change.value * 100, 1)
    return Condition(
        fingerprint=f"{part.feed.ci}:{rule.code}:{instance}",
        ci=part.feed.ci,
        condition=rule.code,
        severity=level.severity if change.after else threshold.CLEARED,
        parameters=parameters,
        happened_at=_moment(change.time_ms),
        source=SOURCE,
    )


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def _compiled(parts: Sequence[Part], *, now_ms: int) -> list[threshold.Checks]:
    """The checks of each part's layout, compiled where the rules or the time since ask for it."""
    revision = parts[0].feed.rules
    mark = (revision, now_ms // RECOMPILE_MS)
    stale = {
        part.layout.id: part for part in parts if part.layout.checks is None or part.layout.checks[0] != mark
    }
    if stale:
        rules = _current_rules(revision)
        cis = cmdb.by_ids({part.feed.ci for part in stale.values()})
        for part in stale.values():
            ci = cis.get(part.feed.ci)
            fitting = [
                compiled
                for row, compiled in rules
                if (row.ci is None or row.ci == part.feed.ci)
                and (not row.ci_types or (ci is not None and ci.type.code in row.ci_types))
                and (not row.tier or (ci is not None and ci.tier == row.tier))
            ]
            part.layout.checks = (mark, threshold.compile_checks(part.layout.names, fitting))
    return [part.layout.checks[1] for part in parts if part.layout.checks is not None]


def compile_rule(row: ThresholdRule) -> threshold.Rule:
    """Raises threshold.BadRule."""
    return threshold.Rule(
        id=row.pk or 0,
        code=row.code,
        metric=row.metric,
        levels=tuple(
            threshold.Level(severity, float(at), float(clear)) for severity, at, clear in row.levels
        ),
        instance=row.instance,
        is_above=row.is_above,
        for_s=row.for_s,
        polls=row.polls,
        arm_after_ok=row.arm_after_ok,
        narrowness=4 * (row.ci is not None) + 2 * bool(row.ci_types) + bool(row.tier),
    )


def _current_rules(revision: int) -> list[tuple[ThresholdRule, threshold.Rule]]:
    if revision not in _rules:
        _rules.clear()
        _rules[revision] = [(row, compile_rule(row)) for row in ThresholdRule.objects.order_by("pk")]
    return [(row, rule) for row, rule in _rules[revision] if row.is_enabled]


def _codes() -> Mapping[int, str]:
    return {row.pk: row.code for rules in _rules.values() for row, _ in rules}


def _load(feeds: Mapping[int, Held]) -> dict[int, States]:
    """The states of each feed; read only if another process changed them since."""
    found: dict[int, States] = {}
    unknown = []
    for feed in feeds.values():
        kept = _states.get(feed.id)
        if kept is not None and kept[0] == feed.revision:
            found[feed.id] = kept[1]
        elif feed.revision == 0:
            found[feed.id] = {}
        else:
            unknown.append(feed.id)
            found[feed.id] = {}
    if unknown:
        rules = {row.pk: rule for row, rule in _every_rule(feeds[unknown[0]].rules)}
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [unknown])
            for feed, rule, series, level, is_armed, progress in cursor.fetchall():
                found[feed][rule, series] = threshold.decode_state(
                    level, is_armed, json.loads(progress), rules[rule]
                )
    return found


def _every_rule(revision: int) -> list[tuple[ThresholdRule, threshold.Rule]]:
    _current_rules(revision)
    return _rules[revision]


def _save(parts: Sequence[Part], before: dict[int, States], after: dict[int, States]) -> None:
    kept: list[tuple[int, int, int, int, bool, str]] = []
    gone: list[StateKey] = []
    for part in {part.feed.id: part for part in parts}.values():
        feed, old, new = part.feed, before[part.feed.id], after[part.feed.id]
        if old != new:
            feed.changes = 1
            gone += [key for key in old if key not in new]
            kept += [
                (*key, feed.id, state.level, state.is_armed, json.dumps(threshold.encode_progress(state)))
                for key, state in new.items()
                if old.get(key) != state
            ]
    with connection.cursor() as cursor:
        if kept:
            cursor.execute(_SAVE, list(map(list, zip(*kept, strict=True))))
        if gone:
            cursor.execute(_DROP, list(map(list, zip(*gone, strict=True))))
    entries = {part.feed.id: (part.feed.revision + part.feed.changes, after[part.feed.id]) for part in parts}

    # Only once committed: what was rolled back must not be taken for true later.
    def keep() -> None:
        while len(_states) > MOST_CACHED:
            del _states[next(iter(_states))]
        _states.update(entries)

    transaction.on_commit(keep)
