"""A workflow as data: states, and the moves between them with what each demands.

A practice registers its workflow; the record keeps the version it was opened under. When
a practice changes its workflow it raises the version, and open records finish under the
definition kept in WorkflowVersion.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _


class WorkflowError(Exception):
    """The definition contradicts itself."""


class GuardRefused(Exception):
    """A guard's own reason, already in the reader's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`title` is an English msgid. `tone` is how a list colours it: new, active, waiting, done."""

    name: str
    title: str
    is_open: bool = True
    tone: str = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One answer that a move asks for.

    type     text, long_text, choice, minutes, datetime, ci, bool
    choices  (value, msgid) pairs of a choice
    when     asked only if these other answers have these values
    """

    name: str
    title: str
    type: str = "text"
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    when: Mapping[str, str] = field(default_factory=dict)

    def is_asked(self, answers: Mapping[str, Any]) -> bool:
        return all(answers.get(name) == value for name, value in self.when.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From any of `sources` to `target`.

    right   needed at the record's place; "requester" means whoever reported it may, too
    guards  names of functions in GUARDS that may refuse
    stamps  datetime columns of the record that are set when first reached
    clears  datetime columns that become empty again
    is_main the likeliest next step: its button is the filled one
    """

    name: str
    title: str
    sources: tuple[str, ...]
    target: str
    right: str = "record.work"
    requester_may: bool = False
    fields: tuple[FieldRule, ...] = ()
    guards: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    is_main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """`code` stands in the record's number: 20261122-INC-0007."""

    kind: str
    code: str
    version: int
    title: str
    initial: str
    states: tuple[State, ...]
    moves: tuple[Move, ...]

    def __post_init__(self) -> None:
        known = {state.name for state in self.states}
        if self.initial not in known:
            raise WorkflowError(f"{self.kind}: initial state {self.initial} is not a state")
        for move in self.moves:
            if unknown := {*move.sources, move.target} - known:
                raise WorkflowError(f"{self.kind}: move {move.name} names unknown {sorted(unknown)}")
        names = [move.name for move in self.moves]
        if len(names) != len(set(names)):
            raise WorkflowError(f"{self.kind}: two moves have one name")

    def state(self, name: str) -> State:
        return next(state for state in self.states if state.name == name)

    def move(self, name: str) -> Move | None:
        return next((move for move in self.moves if move.name == name), None)

    def moves_from(self, state: str) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if state in move.sources)

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def from_data(data: Mapping[str, Any]) -> Workflow:
    """The inverse of `Workflow.as_data`, after a journey through JSON."""
    return Workflow(
        **{key: data[key] for key in ("kind", "code", "version", "title", "initial")},
        states=tuple(State(**state) for state in data["states"]),
        moves=tuple(_move_from_data(move) for move in data["moves"]),
    )


def _move_from_data(data: Mapping[str, Any]) -> Move:
    rules = tuple(
        FieldRule(**{**rule, "choices": tuple((value, title) for value, title in rule["choices"])})
        for rule in data["fields"]
    )
    lists = {name: tuple(data[name]) for name in ("sources", "guards", "stamps", "clears")}
    return Move(**{**data, **lists, "fields": rules})


Guard = Callable[[Any, Mapping[str, Any], int | None], None]
"""(record, answers, actor id) -> None, or raises GuardRefused."""

GUARDS: dict[str, Guard] = {}
_WORKFLOWS: dict[str, Workflow] = {}


def register(workflow: Workflow, guards: Mapping[str, Guard] | None = None) -> None:
    """Makes a practice's workflow known; called when its app is ready. Names of guards carry the kind."""
    GUARDS.update(guards or {})
    if missing := {guard for move in workflow.moves for guard in move.guards} - set(GUARDS):
        raise WorkflowError(f"{workflow.kind}: unknown guards {sorted(missing)}")
    _WORKFLOWS[workflow.kind] = workflow


def registered() -> Iterable[Workflow]:
    return _WORKFLOWS.values()


def workflow_for(kind: str) -> Workflow:
    """The present workflow of a kind. Raises KeyError if no practice registered it."""
    return _WORKFLOWS[kind]


def missing_answers(move: Move, answers: Mapping[str, Any]) -> list[FieldRule]:
    """The required answers that `answers` lacks. 0 and False are answers, blanks are not."""
    return [
        rule
        for rule in move.fields
        if rule.required and rule.is_asked(answers) and _is_blank(answers.get(rule.name))
    ]


def wrong_answers(move: Move, answers: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with given answers, by field, in the reader's language."""
    wrong: dict[str, str] = {}
    for rule in move.fields:
        value = answers.get(rule.name)
        if _is_blank(value):
            continue
        if rule.type == "choice" and value not in {known for known, _title in rule.choices}:
            wrong[rule.name] = _("%(value)s is not one of the choices.") % {"value": value}
        if rule.type == "minutes" and not (type(value) is int and 0 <= value <= 60 * 24 * 60):
            wrong[rule.name] = _("Give whole minutes.")
        if rule.type == "datetime" and not _is_moment(value):
            wrong[rule.name] = _("Give date and time.")
        if rule.type in ("text", "long_text") and not isinstance(value, str):
            wrong[rule.name] = _("Give a text.")
    return wrong


def _is_moment(value: object) -> bool:
    """ISO 8601, with an offset or in the hospital's own time."""
    try:
        datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
