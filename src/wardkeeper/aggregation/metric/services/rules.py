"""Threshold rules: the shipped ones, and what a hospital makes of them."""

import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from wardkeeper.aggregation.metric.models import RetentionRule, ThresholdRule
from wardkeeper.aggregation.metric.services.watch import compile_rule

_FILE = Path(__file__).parents[1] / "thresholds.toml"
CHANGEABLE = frozenset(
    {
        "instance",
        "ci",
        "ci_types",
        "tier",
        "is_above",
        "levels",
        "for_s",
        "polls",
        "arm_after_ok",
        "is_enabled",
    }
)
EVERYTHING = "*"
RAW_DAYS, FIVE_MINUTE_DAYS, HOUR_DAYS = 30, 396, 2192
"""30 days, 13 months, 6 years."""

# Nothing is known of whether these were ever well: each stays silent until it was.
_DISARM = """
WITH fitting AS (
    SELECT s.id AS series, max(l.feed_id) AS feed
    FROM metric_series s JOIN metric_layout l ON s.id = ANY(l.series)
    WHERE s.metric = %s AND (%s::bigint IS NULL OR s.ci = %s)
    GROUP BY s.id
), waiting AS (
    INSERT INTO metric_thresholdstate (rule_id, series_id, feed_id, level, is_armed, progress)
    SELECT %s, series, feed, 0, false, '[]'::jsonb FROM fitting
    ON CONFLICT (rule_id, series_id) DO NOTHING
)
UPDATE metric_feed SET revision = revision + 1 WHERE id IN (SELECT feed FROM fitting)
"""


def shipped() -> list[Mapping[str, Any]]:
    """The rules of thresholds.toml."""
    with _FILE.open("rb") as file:
        rules: list[Mapping[str, Any]] = tomllib.load(file)["rule"]
    return rules


@transaction.atomic
def load_defaults() -> int:
    """Adds shipped rules that are not there yet, and the default retention; returns how many were added.

    A rule that is there is left as the hospital made it.
    """
    RetentionRule.objects.get_or_create(
        pattern=EVERYTHING,
        defaults={
            "position": 1000,
            "raw_days": RAW_DAYS,
            "five_minute_days": FIVE_MINUTE_DAYS,
            "hour_days": HOUR_DAYS,
        },
    )
    there = set(ThresholdRule.objects.values_list("name", flat=True))
    new = [rule for rule in shipped() if rule["name"] not in there]
    for rule in new:
        create_rule(is_shipped=True, **rule)
    return len(new)


@transaction.atomic
def create_rule(**fields: Any) -> ThresholdRule:
    """A new rule; it takes effect with the next poll of each series. Raises threshold.BadRule."""
    row = ThresholdRule(**fields)
    compile_rule(row)
    row.revision = _next_revision()
    row.save()
    _disarm(row)
    return row


@transaction.atomic
def change_rule(rule_id: int, **changes: object) -> ThresholdRule:
    """Changes a rule; what it had raised and no longer covers is cleared at the next poll.

    Raises threshold.BadRule, ThresholdRule.DoesNotExist.
    """
    if unknown := set(changes) - CHANGEABLE:
        raise ValueError(f"cannot change {', '.join(sorted(unknown))} of a threshold rule")
    row = ThresholdRule.objects.select_for_update().get(pk=rule_id)
    was_waiting = row.is_enabled and row.arm_after_ok
    for name, value in changes.items():
        setattr(row, name, value)
    compile_rule(row)
    row.revision = _next_revision()
    row.save()
    if not was_waiting:
        _disarm(row)
    return row


def _disarm(row: ThresholdRule) -> None:
    if row.is_enabled and row.arm_after_ok:
        with connection.cursor() as cursor:
            cursor.execute(_DISARM, [row.metric, row.ci, row.ci, row.pk])


def _next_revision() -> int:
    """Higher than every one before, even if the clock was set back."""
    newest = ThresholdRule.objects.order_by("-revision").values_list("revision", flat=True).first() or 0
    return max(newest + 1, time.time_ns() // 1_000_000)
