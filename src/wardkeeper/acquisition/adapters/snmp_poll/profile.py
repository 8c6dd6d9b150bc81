"""What vendors' own MIBs tell about processor and memory; the knowledge is in profiles.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import nan

from wardkeeper.acquisition.adapters.snmp_poll.inventory import Answers, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Columns as profiles.toml explains them; empty where a vendor has none."""

    name: str
    sys_object_id: str
    mib: str
    cpu_percent: str = ""
    memory_percent: str = ""
    memory_used: str = ""
    memory_free: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        wanted = (self.cpu_percent, self.memory_percent, self.memory_used, self.memory_free)
        return tuple(column for column in wanted if column)

    def keys(self, answers: Answers) -> tuple[str, ...]:
        """The objects worth asking for at every poll: the rows that are not 0 in every column."""
        rows: dict[str, list[str]] = {}
        for column in self.columns:
            for key in answers:
                if key.startswith(f"{column}."):
                    rows.setdefault(key[len(column) :], []).append(key)
        lively = [keys for keys in rows.values() if any(number(answers[key]) > 0 for key in keys)]
        return tuple(key for keys in lively for key in keys)

    def cpu_share(self, answers: Answers) -> float:
        return _greatest(answers, self.cpu_percent) / 100

    def memory_share(self, answers: Answers) -> float:
        if self.memory_percent:
            return _greatest(answers, self.memory_percent) / 100
        shares = [nan]
        for key in answers:
            if key.startswith(f"{self.memory_used}."):
                used = number(answers[key])
                size = used + number(answers.get(self.memory_free + key[len(self.memory_used) :]))
                if size > 0:
                    shares.append(used / size)
        return _max(shares)


def _greatest(answers: Answers, column: str) -> float:
    if not column:
        return nan
    return _max([number(answers[key]) for key in answers if key.startswith(f"{column}.")])


def _max(values: list[float]) -> float:
    return max((value for value in values if value >= 0), default=nan)


@cache
def profiles() -> tuple[Profile, ...]:
    """All of profiles.toml, the most particular first."""
    text = resources.files(__package__).joinpath("profiles.toml").read_text("utf-8")
    found = [Profile(**each) for each in tomllib.loads(text)["profile"]]
    return tuple(sorted(found, key=lambda each: -len(each.sys_object_id)))


def profile_of(sys_object_id: str) -> Profile | None:
    """The profile of a device, by what it says it is."""
    return next(
        (each for each in profiles() if f"{sys_object_id}.".startswith(f"{each.sys_object_id}.")), None
    )
