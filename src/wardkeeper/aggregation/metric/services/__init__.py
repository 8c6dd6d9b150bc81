"""The only writers of samples, thresholds and their states."""

from wardkeeper.aggregation.metric.services.pack import pack, retain, roll_up
from wardkeeper.aggregation.metric.services.rules import change_rule, create_rule, load_defaults
from wardkeeper.aggregation.metric.services.silence import expect, find
from wardkeeper.aggregation.metric.services.store import BadSamples, Stored, store

__all__ = [
    "BadSamples",
    "Stored",
    "change_rule",
    "create_rule",
    "expect",
    "find",
    "load_defaults",
    "pack",
    "retain",
    "roll_up",
    "store",
]
