"""What each metric means: its unit, its title, whether it counts. The facts are in metrics.toml. Pure."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("metrics.toml")
_LINE = re.compile(r"(?P<metric>[a-z][a-z0-9_.]{0,79})(?:\{(?P<instance>[^{}\n]{1,200})\})?")
WIDEST = 65_535
"""Columns of one layout; positions are stored in two bytes."""


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    STATE = "state"


_CODES = {Kind.COUNTER: 0, Kind.GAUGE: 1, Kind.STATE: 2}


@dataclass(frozen=True, slots=True)
class Metric:
    """unit  as metrics.toml explains; "share" is 0..1"""

    name: str
    title: str
    title_zh: str
    unit: str
    kind: Kind


class BadSeries(ValueError):
    """The text that names a message's columns is not what messages/collection.py says."""


@cache
def catalogue() -> Mapping[str, Metric]:
    with _FILE.open("rb") as file:
        facts = tomllib.load(file)
    return {
        name: Metric(name, fact["title"], fact["title_zh"], fact["unit"], Kind(fact["kind"]))
        for name, fact in facts.items()
    }


def metric(name: str) -> Metric:
    """A metric that the catalogue does not know is a gauge without unit, titled by its name."""
    return catalogue().get(name) or Metric(name, name, name, "", Kind.GAUGE)


def parse_series(text: str) -> list[tuple[str, str]]:
    """(metric, instance) of each column; "" for no instance. Raises BadSeries."""
    found = []
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadSeries(f"not a series: {line[:100]!r}")
        found.append((match["metric"], match["instance"] or ""))
    if len(set(found)) != len(found):
        raise BadSeries("a series is named twice")
    if len(found) > WIDEST:
        raise BadSeries(f"{len(found)} columns, at most {WIDEST}")
    return found


def kind_codes(series: list[tuple[str, str]]) -> bytes:
    """One byte a column, as `codec.plan` takes it. Stored with the layout: a later change of the catalogue
    must not change how old bytes are read.
    """
    return bytes(_CODES[metric(name).kind] for name, _ in series)
