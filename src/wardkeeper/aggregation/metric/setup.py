"""The thresholds and the retention that every installation starts with, and those a new version adds."""

from wardkeeper.aggregation.metric.services import load_defaults


def ensure() -> None:
    load_defaults()
