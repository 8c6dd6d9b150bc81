"""How long each priority may take, as data: the hospital domain's defaults (5.4), which a hospital may replace.

    {"1": {"calendar": "24x7", "goal_percent": 95, "accept": {"minutes": 2}, ...}, ... "5": {...}}

`wards_calendar` is for areas A0-A2 where it differs. A clock that is missing is not measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wardkeeper.messages.sentence import InvalidField, gettext_noop
from wardkeeper.processing.sla.workflow import ClockName
from wardkeeper.registry.calendars.builtin import ALWAYS, SERVICE_HOURS
from wardkeeper.registry.calendars.deadline import Target
from wardkeeper.registry.calendars.form import parse_target

WARD_AREAS = frozenset({"A0", "A1", "A2"})
WARNED_AT = (50, 75, 100, 150)
"""Per cent of a target at which somebody is told."""

DEFAULT: Mapping[str, Mapping[str, Any]] = {
    "1": {
        "calendar": ALWAYS,
        "goal_percent": 95,
        "accept": {"minutes": 2},
        "restore": {"minutes": 30},
        "resolve": {"hours": 4},
    },
    "2": {
        "calendar": ALWAYS,
        "goal_percent": 95,
        "accept": {"minutes": 5},
        "restore": {"hours": 1},
        "resolve": {"hours": 4},
    },
    "3": {
        "calendar": SERVICE_HOURS,
        "wards_calendar": ALWAYS,
        "goal_percent": 90,
        "accept": {"minutes": 15},
        "restore": {"hours": 4},
        "resolve": {"hours": 8},
    },
    "4": {"calendar": SERVICE_HOURS, "goal_percent": 85, "accept": {"hours": 1}, "resolve": {"days": 2}},
    "5": {"calendar": SERVICE_HOURS, "goal_percent": 85, "accept": {"days": 1}, "resolve": {"days": 5}},
}
DEFAULT_NAME = "default/1"


@dataclass(frozen=True, slots=True)
class Goal:
    """A target on a calendar, frozen into the clock's events. `target` as JSON; None: not measured."""

    target: Mapping[str, Any] | None
    calendar: str
    policy: str

    @property
    def as_target(self) -> Target | None:
        return None if self.target is None else parse_target(self.target)


@dataclass(frozen=True, slots=True)
class PolicyData:
    """The targets in force for a kind of record at a hospital. `name` is what clocks remember of it."""

    name: str
    targets: Mapping[str, Mapping[str, Any]]

    def goal(self, clock: ClockName, *, priority: int, area_class: str) -> Goal:
        row = self.targets[str(priority)]
        calendar = row["calendar"]
        if area_class in WARD_AREAS:
            calendar = row.get("wards_calendar", calendar)
        return Goal(row.get(clock.value), calendar, self.name)

    def goal_percent(self, priority: int) -> int:
        """Share of the records of this priority that should be within their targets."""
        return int(self.targets[str(priority)]["goal_percent"])


BUILTIN = PolicyData(DEFAULT_NAME, DEFAULT)


def check(targets: Any) -> None:
    """Refuses targets that could not be computed with. Raises InvalidField."""
    if not isinstance(targets, Mapping) or set(targets) != set(DEFAULT):
        raise InvalidField("targets", gettext_noop("must have the priorities 1 to 5"))
    names = [clock.value for clock in ClockName]
    for priority, row in targets.items():
        path = f"targets.{priority}"
        if not isinstance(row, Mapping):
            raise InvalidField(path, gettext_noop("must be an object"))
        known = {"calendar", "wards_calendar", "goal_percent", *names}
        for name in row:
            if name not in known:
                allowed = ", ".join(sorted(known))
                raise InvalidField(
                    f"{path}.{name}", gettext_noop("is not known; allowed: %(allowed)s"), allowed=allowed
                )
        if not isinstance(row.get("calendar"), str):
            raise InvalidField(f"{path}.calendar", gettext_noop("is missing"))
        percent = row.get("goal_percent")
        if type(percent) is not int or not 0 < percent <= 100:  # noqa: PLR2004 - a share
            raise InvalidField(f"{path}.goal_percent", gettext_noop("must be a whole number from 1 to 100"))
        for name in names:
            if name in row:
                parse_target(row[name], f"{path}.{name}")
