"""Draws what happens at the desk in a year: when, of what kind, and what becomes of it. Pure; no database.

Shares, hours and figures of the course are those of the hospital domain, chapters 2.4 and 2.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import exp
from random import Random
from zoneinfo import ZoneInfo

from wardkeeper.cli.demo.sheets import rows

RECORDS_A_YEAR = 65_700
"""60 a day for each 1,000 beds; hospital M has 3,000."""
SIGMA = 0.9
"""Of the logarithm of handling times."""
FIRST_CALL, REASSIGNED, PENDING, VENDOR, REOPENED = 0.40, 0.18, 0.12, 0.08, 0.03
"""Shares of all records: solved at the first call, given to another team, put on hold, held by a
vendor, opened again."""
CHANNELS = {"phone": 65, "portal": 22, "qr": 8, "monitoring": 3, "walk_in": 2}
DAYS = 365
_LONGEST_H = 24 * 6


@dataclass(frozen=True, slots=True)
class Kind:
    """A category's line in the mix. `on_site`: share of records that need somebody to go there."""

    code: str
    share: float
    handling_min: float
    on_site: float
    first_call: float


@dataclass(frozen=True, slots=True)
class Case:
    """One report and its fate. Minutes are counted from `opened_at` or from the step before."""

    opened_at: datetime
    category: str
    channel: str
    handling_min: float
    is_first_call: bool
    is_on_site: bool
    is_reassigned: bool
    is_reopened: bool
    pending: str
    """Why it was put on hold, or empty."""


def kinds() -> tuple[Kind, ...]:
    """The mix. What needs no visit is likelier solved at the first call; over all, FIRST_CALL of it is."""
    read = [
        (
            row["category"],
            float(row["share_percent"]),
            float(row["handling_min"]),
            float(row["on_site_percent"]),
        )
        for row in rows("mix")
    ]
    whole = sum(share for _, share, _, _ in read)
    remote = sum(share * (1 - on_site / 100) for _, share, _, on_site in read) / whole
    return tuple(
        Kind(code, share / whole, minutes, on_site / 100, FIRST_CALL * (1 - on_site / 100) / remote)
        for code, share, minutes, on_site in read
    )


def draw(rng: Random, *, until: datetime, timezone: str, count: int = RECORDS_A_YEAR) -> list[Case]:
    """`count` cases of the year before `until`, in order of time."""
    mix = kinds()
    weights = [kind.share for kind in mix]
    times = _times(rng, until=until, timezone=timezone, count=count)
    picked = rng.choices(mix, weights, k=count)
    channels = rng.choices(list(CHANNELS), list(CHANNELS.values()), k=count)
    return [_case(rng, at, kind, channel) for at, kind, channel in zip(times, picked, channels, strict=True)]


def _case(rng: Random, at: datetime, kind: Kind, channel: str) -> Case:
    """Whatever the first call does not solve carries the shares that are stated of all records."""
    is_first_call = rng.random() < kind.first_call
    rest = 1 - FIRST_CALL
    is_pending = not is_first_call and rng.random() < PENDING / rest
    pending = ""
    if is_pending:
        pending = (
            "vendor" if rng.random() < VENDOR / PENDING else rng.choice(("user", "parts", "agreed_date"))
        )
    return Case(
        opened_at=at,
        category=kind.code,
        channel="monitoring" if kind.code == "MON" else channel,
        handling_min=kind.handling_min * exp(SIGMA * rng.gauss(0, 1)),
        is_first_call=is_first_call,
        is_on_site=not is_first_call and rng.random() < min(1.0, kind.on_site / (1 - kind.first_call)),
        is_reassigned=not is_first_call and rng.random() < REASSIGNED / rest,
        is_reopened=rng.random() < REOPENED,
        pending=pending,
    )


def _times(rng: Random, *, until: datetime, timezone: str, count: int) -> list[datetime]:
    """By the profile of weekdays and hours of the hospital's clock, none after `until`."""
    zone = ZoneInfo(timezone)
    today = until.astimezone(zone).date()
    by_weekday = {int(row["weekday"]): float(row["share_percent"]) for row in rows("weekdays")}
    days = [today - timedelta(days=back) for back in range(DAYS + 1)]
    day_weights = [by_weekday[day.weekday()] for day in days]
    hours = [int(row["hour"]) for row in rows("hours")]
    hour_weights = [float(row["share_percent"]) for row in rows("hours")]
    earliest = until - timedelta(days=DAYS)
    found: list[datetime] = []
    while len(found) < count:
        lacking = count - len(found)
        chosen: Sequence[tuple[object, int]] = list(
            zip(
                rng.choices(days, day_weights, k=lacking),
                rng.choices(hours, hour_weights, k=lacking),
                strict=True,
            )
        )
        for day, hour in chosen:
            seconds = rng.randrange(3600)
            at = datetime.combine(day, time(hour, seconds // 60, seconds % 60), zone)  # type: ignore[arg-type]  # a date
            if earliest <= at <= until:
                found.append(at)
    return sorted(found)
