"""Writes cases into the ledger: records with their hash-chained journals, built as the ledger builds them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from wardkeeper.cli.demo.course import Step, whole
from wardkeeper.cli.demo.hospital import Hospital
from wardkeeper.cli.demo.line import Line, written
from wardkeeper.cli.demo.sheets import rows
from wardkeeper.cli.demo.staff import Staff, a_name
from wardkeeper.cli.demo.year import Case
from wardkeeper.ledger.models import Category, Record
from wardkeeper.ledger.priority import (
    AreaClass,
    PatientSafety,
    PriorityInput,
    PriorityResult,
    Tier,
    outpatient_peak,
    priority_of,
)
from wardkeeper.ledger.wording import both
from wardkeeper.processing.incident.workflow import WORKFLOW
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.people.models import Person, Team
from wardkeeper.registry.places.models import Place
from wardkeeper.registry.search import terms_of

_BY_AREA = {"A0": 2.0, "A1": 2.2, "A2": 1.0, "A3": 2.6, "A4": 0.7}
_AT_NIGHT = {"A0": 3.0, "A1": 1.6, "A2": 0.9, "A3": 0.02, "A4": 0.02}
_UNSAFE, _HAS_WAY_ROUND = 0.003, 0.75
"""Shares of reports in which a patient could be harmed, and in which work can go on."""
_DAY_HOURS = range(7, 18)
_TERMINAL_OF = {
    "HW-PRN": "printer", "HW-PC": "pc", "HW-PER": "pc", "HW-QUE": "queue_screen", "HW-PDA": "pda", "NW-ACC": "pc",
    "RQ-MOVE": "pc", "NW-WIFI": "pda",
}  # fmt: skip
_WINDOWS = ("HW-QUE", "IF-INS")
_OTHER_TEAM = {
    "desktop": "applications",
    "applications": "desktop",
    "network": "servers",
    "desk": "applications",
}
_MOVES = {move.name: move for move in WORKFLOW.moves}


def _none(_: int) -> timedelta:
    return timedelta()


@dataclass(slots=True)
class Author:
    """Everything that writing a record needs; remembers the numbers it has given out."""

    rng: Random
    hospital: Hospital
    staff: Staff
    now: datetime
    timezone: ZoneInfo
    categories: dict[str, Category]
    ids: Iterator[int]
    numbers: Counter[str] = field(default_factory=Counter)
    titles: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    phrases: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in rows("titles"):
            self.titles.setdefault(row["category"], []).append(row)
        for row in rows("phrases"):
            self.phrases.setdefault(row["group"], []).append(row["text"])
        self._places = list(self.hospital.units.values())
        self._by_day = [_BY_AREA[each.area_class] for each in self._places]
        self._by_night = [_AT_NIGHT[each.area_class] for each in self._places]
        self._windows = [each for each in self._places if each.area_class == AreaClass.A3]

    _places: list[Place] = field(init=False)
    _by_day: list[float] = field(init=False)
    _by_night: list[float] = field(init=False)
    _windows: list[Place] = field(init=False)

    def close(self, case: Case) -> tuple[Record, list[Line]]:
        """A record that has run its whole course; what would end after now went a little faster."""
        record, words, opening = self.begin(case.opened_at, case.category, case.channel)
        steps = whole(
            self.rng, case, priority=record.priority, solution=words["solution"], cause=words["cause"]
        )
        available = (self.now - record.opened_at).total_seconds() / 60
        pace = min(1.0, 0.97 * available / steps[-1].minutes)
        return record, [opening, *self.follow(record, steps, pace=pace)]

    def open(
        self, at: datetime, category: str, channel: str, *, age: Callable[[int], timedelta] = _none
    ) -> tuple[Record, dict[str, str]]:
        """A new record without its journal, and the line of `titles` it was made of.

        age  how much earlier than `at` it was opened, by its priority
        """
        kind = self.categories[category]
        words = self.rng.choice(self.titles[category])
        place = self._place(at, category)
        service = self.hospital.systems.get(kind.service_code)
        ci = self._ci(place, category, service)
        state = self._answers(at, place, category, service)
        result = _result(state)
        at -= age(result.level)
        requester = self.staff.nurses.get(place.pk) if channel in ("portal", "qr") else None
        record = Record(
            pk=next(self.ids), hospital=self.hospital.root, kind=WORKFLOW.kind, number=self._number(at),
            workflow_version=WORKFLOW.version, state=WORKFLOW.initial, title=words["title"],
            description=f"{place.name_zh}:{words['title']}。{self._phrase(category)}", place=place,
            place_path=place.path, category=kind, ci=ci, service=service, requester=requester,
            requester_name=requester.name if requester else "" if channel == "monitoring" else a_name(self.rng),
            requester_phone=place.phone, channel=channel, priority=result.level,
            priority_why=result.explanation, priority_input=_as_json(state),
            is_safety=state.patient_safety is not PatientSafety.NONE, fields={}, occurred_at=at, opened_at=at,
            is_demo=True,
        )  # fmt: skip
        record.terms = _terms(record)
        return record, words

    def _opening(self, record: Record) -> Line:
        by_phone = record.channel in ("phone", "walk_in")
        actor = self.rng.choice(self.staff.by_team["desk"]) if by_phone else record.requester
        note, params = "Reported through %(channel)s.", {"channel": record.channel}
        return written(record, "opened", actor=actor, at=record.opened_at, note=note, params=params)

    def begin(
        self, at: datetime, category: str, channel: str, *, age: Callable[[int], timedelta] = _none
    ) -> tuple[Record, dict[str, str], Line]:
        """As `open`, with the first line of the journal."""
        record, words = self.open(at, category, channel, age=age)
        return record, words, self._opening(record)

    def follow(self, record: Record, steps: Iterable[Step], *, pace: float = 1.0) -> list[Line]:
        """The lines of the steps; the record stands as the last one left it."""
        people = _People(self, record)
        entries = []
        for step in steps:
            at = record.opened_at + timedelta(minutes=step.minutes * pace)
            entries.append(_assigned(people, step, at) if step.verb == "assign" else _moved(people, step, at))
        record.version = record.entry_count
        return entries

    def day(self, at: datetime) -> str:
        """The hospital's date as it stands in a number."""
        return f"{at.astimezone(self.timezone):%Y%m%d}"

    def _number(self, at: datetime) -> str:
        day = self.day(at)
        self.numbers[day] += 1
        return f"{day}-{WORKFLOW.code}-{self.numbers[day]:04}"

    def _place(self, at: datetime, category: str) -> Place:
        if category in _WINDOWS:
            return self.rng.choice(self._windows)
        weights = self._by_day if at.astimezone(self.timezone).hour in _DAY_HOURS else self._by_night
        return self.rng.choices(self._places, weights)[0]

    def _ci(self, place: Place, category: str, service: CI | None) -> CI | None:
        if service is not None:
            return service
        known = self.hospital.terminals.get((place.pk, _TERMINAL_OF.get(category, "")))
        return self.rng.choice(known) if known else None

    def _phrase(self, category: str) -> str:
        group = category.partition("-")[0]
        return self.rng.choice(self.phrases[group])

    def _answers(self, at: datetime, place: Place, category: str, service: CI | None) -> PriorityInput:
        """The six answers, as the desk would get them on the telephone."""
        rng = self.rng
        is_request = category.startswith(("AC-", "RQ-"))
        is_wide = category in ("AP-SLOW", "IF-INS", "IF-ESB", "NW-WAN", "MON")
        breadth = rng.choices((0, 1, 2, 3), (56, 38, 5.5, 0.5) if is_wide else (86, 13, 0.95, 0.05))[0]
        return PriorityInput(
            breadth=0 if is_request else breadth,
            tier=Tier(service.tier) if service and not is_request else Tier.T3,
            degradation=rng.choices((0, 1), (60, 40))[0]
            if is_request
            else rng.choices((1, 2, 3), (74, 18, 8))[0],
            area_class=AreaClass(place.area_class),
            outpatient_peak=outpatient_peak(at, self.timezone.key),
            patient_safety=PatientSafety.POTENTIAL if rng.random() < _UNSAFE else PatientSafety.NONE,
            safe_workaround=rng.random() < _HAS_WAY_ROUND,
        )


class _People:
    """Who does the steps of one record."""

    def __init__(self, author: Author, record: Record) -> None:
        rng, staff = author.rng, author.staff
        category = record.category.team_code if record.category else "desk"
        other = _OTHER_TEAM.get(category, "servers")
        self.record = record
        self.teams = {
            "desk": staff.teams["desk"],
            "usual": staff.teams[category],
            "other": staff.teams[other],
        }
        self.desk = rng.choice(staff.by_team["desk"])
        self.of = {code: rng.choice(members) for code, members in staff.by_team.items()}

    def person(self, who: str) -> Person | None:
        if who == "desk":
            return self.desk
        if who == "engineer":
            return self.record.assignee or (self.of[self.record.team.code] if self.record.team else self.desk)
        return self.record.requester if who == "requester" else None


def _assigned(people: _People, step: Step, at: datetime) -> Line:
    record = people.record
    team: Team | None = people.teams[step.team] if step.team else record.team
    assignee = people.person(step.to) if step.to else None
    changes: dict[str, list[Any]] = {}
    if team != record.team:
        changes["team"] = [both(record.team) if record.team else None, both(team) if team else None]
        record.assigned_count += record.team_id is not None
    if assignee != record.assignee:
        changes["assignee"] = [
            record.assignee.name if record.assignee else None,
            assignee.name if assignee else None,
        ]
    actor = people.person(step.who)
    record.team, record.assignee = team, assignee
    note, params = step.note, None
    if step.who == "system" and team is not None:
        note, params = "Dispatched to %(team)s, who solves such faults.", {"team": both(team)}
    return written(record, "assigned", actor=actor, at=at, changes=changes, note=note, params=params)


def _moved(people: _People, step: Step, at: datetime) -> Line:
    """As `ledger.services.move` does it, without announcing anything."""
    record, move = people.record, _MOVES[step.name]
    answers = dict(step.answers)
    if step.name == "resolve" and record.ci_id is None:
        answers["no_ci"] = True
    if step.name == "pend":
        answers["next_action_at"] = f"{at + timedelta(hours=4):%Y-%m-%dT%H:%M:00%z}"
    changes = {
        key: [record.fields.get(key), value]
        for key, value in answers.items()
        if record.fields.get(key) != value
    }
    record.fields = {**record.fields, **answers}
    record.is_open = WORKFLOW.state(move.target).is_open
    record.closed_at = None if record.is_open else at
    for column in move.clears:
        setattr(record, column, None)
    record.reopened_count += step.name == "reopen"
    for stamp in move.stamps:
        if getattr(record, stamp) is None:
            setattr(record, stamp, at)
    actor = people.person(step.who)
    return written(record, "moved", actor=actor, at=at, move=step.name, after=move.target, changes=changes)


def _terms(record: Record) -> list[str]:
    """What `ledger.services.records.record_terms` gives, with the words that come again and again remembered."""
    words = [record.number, *_runs(record.title), *_runs(record.description)]
    words += [record.requester_name, record.place.name_zh, record.ci.name if record.ci else ""]
    return list(dict.fromkeys(term for word in words for term in _terms_of_word(word)))


def _runs(text: str) -> list[str]:
    """A sentence sign ends a run of characters, so the parts give the same terms as the whole."""
    return text.replace("。", ":").split(":")


@lru_cache(maxsize=65536)
def _terms_of_word(word: str) -> tuple[str, ...]:
    return tuple(terms_of(word))


@lru_cache(maxsize=4096)
def _result(state: PriorityInput) -> PriorityResult:
    return priority_of(state)


@lru_cache(maxsize=4096)
def _as_json(state: PriorityInput) -> dict[str, Any]:
    return asdict(state)
