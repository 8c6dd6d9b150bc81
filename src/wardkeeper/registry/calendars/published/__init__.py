"""Holidays that a state publishes: one file a country, one table a year, to be taken over into calendars."""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Any


class NotPublished(LookupError):
    """We have no list for this country and year."""


@dataclass(frozen=True, slots=True)
class Year:
    """`holidays` by date with their titles; `make_up_days` are worked like a Monday."""

    source: str
    holidays: dict[date, str]
    make_up_days: tuple[date, ...]


def years(country: str) -> list[int]:
    """The years that we have of a country. Raises NotPublished."""
    return sorted(int(year) for year in _tables(country))


def published(country: str, year: int) -> Year:
    """The list of one year. Raises NotPublished."""
    tables = _tables(country)
    if str(year) not in tables:
        raise NotPublished(f"holidays of {country} are kept for {', '.join(sorted(tables))}, not for {year}")
    table = tables[str(year)]
    holidays = {}
    for entry in table["holidays"]:
        first, last = date.fromisoformat(entry["on"][0]), date.fromisoformat(entry["on"][-1])
        for n in range((last - first).days + 1):
            holidays[first + timedelta(days=n)] = entry["title"]
    return Year(table["source"], holidays, tuple(date.fromisoformat(day) for day in table["make_up_days"]))


def _tables(country: str) -> dict[str, Any]:
    found = files(__name__).joinpath(f"{country}.toml") if country.isalpha() else None
    if found is None or not found.is_file():
        raise NotPublished(f"no holidays are kept for {country!r}")
    return tomllib.loads(found.read_text("utf-8"))
