"""Reads what an observation means from rules.toml. Pure."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from wardkeeper.aggregation.alarm.condition import Condition
from wardkeeper.messages import ObservationReceived

Scalar = str | int | float | bool | None
LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TrapRule:
    condition: str
    severity: str
    oid: str = ""
    title: str = ""
    instance: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogRule:
    severity_at_most: int
    condition: str
    severity: str


@dataclass(frozen=True, slots=True)
class Rules:
    traps: Mapping[str, TrapRule]
    unknown_trap: TrapRule
    syslog: tuple[SyslogRule, ...]


@cache
def shipped() -> Rules:
    data = tomllib.loads((files(__package__) / "rules.toml").read_text("utf-8"))
    return Rules(
        traps={rule["oid"]: TrapRule(**rule) for rule in data["trap"]},
        unknown_trap=TrapRule(**data["unknown_trap"]),
        syslog=tuple(SyslogRule(**rule) for rule in data["syslog"]),
    )


@dataclass(frozen=True, slots=True)
class Meaning:
    """How an observation is shown, and the condition that it states, if any."""

    text: str
    severity: str
    condition: Condition | None


def meaning(seen: ObservationReceived, ci: int | None, rules: Rules) -> Meaning:
    """What `seen` says about `ci`; about its sender's address if the CI is not known."""
    if seen.adapter == "syslog":
        return _of_syslog(seen, ci, rules)
    return _of_trap(seen, ci, rules)


def _of_trap(seen: ObservationReceived, ci: int | None, rules: Rules) -> Meaning:
    rule = rules.traps.get(seen.kind)
    title = rule.title if rule else seen.kind
    parameters: dict[str, Scalar] = {"kind": title, "sender": seen.source}
    # Two unknown traps of one device are two conditions; a known one says by itself which it is.
    instance = "" if rule else seen.kind
    if rule and rule.instance:
        instance = _instance(seen.fields, rule.instance)
        parameters["name"] = _value_below(seen.fields, rule.name) or instance or "–"
        parameters["instance"] = instance
    return _stated(seen, ci, rule or rules.unknown_trap, parameters=parameters, instance=instance, text=title)


def _instance(fields: Mapping[str, Scalar], oid: str) -> str:
    """The value of the column below `oid`; else the index in which any other column of its table ends."""
    value = _value_below(fields, oid)
    if value:
        return value
    entry = oid.rsplit(".", 1)[0] + "."
    for known in fields:
        if known.startswith(entry):
            return known[len(entry) :].partition(".")[2]
    return ""


def _value_below(fields: Mapping[str, Scalar], oid: str) -> str:
    if not oid:
        return ""
    for known, value in fields.items():
        if known == oid or known.startswith(oid + "."):
            return str(value)
    return ""


def _of_syslog(seen: ObservationReceived, ci: int | None, rules: Rules) -> Meaning:
    level = seen.fields.get("severity")
    message = str(seen.fields.get("message") or "")[:LONGEST_TEXT]
    rule = next(
        (rule for rule in rules.syslog if isinstance(level, int) and level <= rule.severity_at_most), None
    )
    if rule is None:
        return Meaning(message, "", None)
    name = str(seen.fields.get("msgid") or seen.fields.get("app_name") or "")
    # Two lines that differ in their numbers only are the same fault said twice.
    pattern = hashlib.sha256(re.sub(r"[0-9a-fA-F]*\d[0-9a-fA-F]*", "#", message).encode()).hexdigest()[:12]
    parameters: dict[str, Scalar] = {"message": message, "sender": seen.source, "name": name}
    return _stated(seen, ci, rule, parameters=parameters, instance=f"{name}/{pattern}", text=message)


def _stated(
    seen: ObservationReceived,
    ci: int | None,
    rule: TrapRule | SyslogRule,
    *,
    parameters: Mapping[str, Scalar],
    instance: str,
    text: str,
) -> Meaning:
    whose = str(ci) if ci is not None else f"@{seen.source}"
    condition = Condition(
        fingerprint=f"{whose}:{rule.condition}:{instance}"[:300],
        ci=ci,
        condition=rule.condition,
        severity=rule.severity,
        parameters=parameters,
        happened_at=seen.happened_at,
        source=seen.adapter,
    )
    return Meaning(text, rule.severity, condition)
