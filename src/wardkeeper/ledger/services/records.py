"""The only writers of records. Every change locks the record, adds to its journal and announces itself.

Rights are the caller's to check with a Scope, where the reader is known; what the
workflow demands is checked here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from wardkeeper.bus.outbox import announce
from wardkeeper.ledger import numbers, priority, workflow
from wardkeeper.ledger.errors import (
    AnswersMissing,
    Changed,
    MoveNotAllowed,
    ReasonMissing,
    SecondPersonNeeded,
)
from wardkeeper.ledger.journal import Line, build
from wardkeeper.ledger.models import Category, Entry, Record, WorkflowVersion
from wardkeeper.ledger.wording import both
from wardkeeper.messages import RecordAssigned, RecordChanged, RecordMoved, RecordOpened
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.people.models import Person, Team
from wardkeeper.registry.places.models import Place
from wardkeeper.registry.search import terms_of

CONFLICTING = ("moved", "assigned", "changed", "priority")
"""Kinds of entries after which a writer must look again before saving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """What a record is opened with. `note` with `params` is the opening line in the journal."""

    kind: str
    title: str
    title_params: Mapping[str, Any] | None = None
    place: Place
    channel: str
    description: str = ""
    category: Category | None = None
    ci: CI | None = None
    service: CI | None = None
    requester: Person | None = None
    requester_name: str = ""
    requester_phone: str = ""
    priority_input: priority.PriorityInput | None = None
    occurred_at: datetime | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    params: Mapping[str, Any] | None = None
    is_demo: bool = False


@transaction.atomic
def open_record(new: NewRecord, *, actor: Person | None, at: datetime | None = None) -> Record:
    """Opens a record under its kind's present workflow, with its number. Raises KeyError for an unknown kind."""
    at = at or timezone.now()
    flow = workflow.workflow_for(new.kind)
    keep_workflow(flow)
    hospital = new.place.hospital or new.place
    result = priority.priority_of(new.priority_input) if new.priority_input else None
    record = Record(
        hospital=hospital,
        kind=new.kind,
        number=numbers.next_number(hospital, flow.code, at),
        workflow_version=flow.version,
        state=flow.initial,
        title=new.title.strip()[:200],
        title_params=dict(new.title_params) if new.title_params is not None else None,
        description=new.description,
        place=new.place,
        place_path=new.place.path,
        category=new.category,
        ci=new.ci,
        service=new.service,
        requester=new.requester,
        requester_name=new.requester_name or (new.requester.name if new.requester else ""),
        requester_phone=new.requester_phone or (new.requester.phone if new.requester else ""),
        channel=new.channel,
        priority=result.level if result else 4,
        priority_why=result.explanation if result else "",
        priority_input=asdict(new.priority_input) if new.priority_input else {},
        is_safety=bool(
            new.priority_input and new.priority_input.patient_safety != priority.PatientSafety.NONE
        ),
        fields=dict(new.fields),
        occurred_at=new.occurred_at or at,
        opened_at=at,
        is_demo=new.is_demo,
    )
    record.terms = record_terms(record)
    record.save()
    line = Line(kind="opened", actor=actor, note=new.note, params=new.params, is_public=True)
    _write(record, line, at=at)
    announce(RecordOpened(**_standing(record), channel=record.channel, happened_at=at))
    return record


@transaction.atomic
def move(
    record_id: int,
    name: str,
    *,
    actor: Person | None,
    version: int | None = None,
    answers: Mapping[str, Any] | None = None,
    note: str = "",
    params: Mapping[str, Any] | None = None,
    is_public: bool = True,
    at: datetime | None = None,
) -> Record:
    """Takes a record one step along its workflow.

    version  the one that the writer has read; None: the system, which has just locked it
    Raises MoveNotAllowed, AnswersMissing, GuardRefused, Changed.
    """
    at = at or timezone.now()
    given = {key: value for key, value in (answers or {}).items() if value is not None}
    record = lock(record_id, version, {"move": name, "note": note, **given})
    flow = flow_of(record)
    step = flow.move(name)
    if step is None or record.state not in step.sources:
        raise MoveNotAllowed(record, name, [known.name for known in flow.moves_from(record.state)])
    _require_answers(step, given)
    for guard in step.guards:
        workflow.GUARDS[guard](record, given, actor.pk if actor else None)
    before = record.state
    changes = {
        key: (record.fields.get(key), value)
        for key, value in given.items()
        if record.fields.get(key) != value
    }
    record.fields = {**record.fields, **given}
    target = flow.state(step.target)
    record.is_open = target.is_open
    record.closed_at = None if target.is_open else at
    if record.proposed_move == name or not record.is_open:
        record.proposed_move = ""
    for column in step.clears:
        setattr(record, column, None)
    if name == "reopen":
        record.reopened_count += 1
    for stamp in step.stamps:
        if getattr(record, stamp) is None:
            setattr(record, stamp, at)
    line = Line(
        kind="moved", actor=actor, move=name, after=step.target, changes=changes, note=note, params=params,
        is_public=is_public,
    )  # fmt: skip
    _write(record, line, at=at)
    announce(
        RecordMoved(
            **_standing(record), before=before, move=name, actor=actor.pk if actor else None, happened_at=at
        )
    )
    return record


def _require_answers(step: workflow.Move, answers: Mapping[str, Any]) -> None:
    problems = {rule.name: _("Please answer.") for rule in workflow.missing_answers(step, answers)}
    problems |= workflow.wrong_answers(step, answers)
    # What a move does not ask it does not write: whoever may confirm may not rewrite the solution.
    asked = {rule.name for rule in step.fields}
    problems |= {name: _("This step does not ask for it.") for name in answers if name not in asked}
    if problems:
        raise AnswersMissing(problems)


@transaction.atomic
def assign(
    record_id: int,
    *,
    actor: Person | None,
    team: Team | None,
    assignee: Person | None = None,
    version: int | None = None,
    note: str = "",
    params: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Record:
    """Gives a record to a team and, if named, to a person in it. Raises Changed."""
    at = at or timezone.now()
    record = lock(record_id, version, {"team": team and team.pk, "assignee": assignee and assignee.pk})
    changes = _changes(record, {"team": team, "assignee": assignee})
    if not changes:
        return record
    if record.team_id is not None and "team" in changes:
        record.assigned_count += 1
    record.team, record.assignee = team, assignee
    line = Line(kind="assigned", actor=actor, changes=changes, note=note, params=params, is_public=True)
    _write(record, line, at=at)
    announce(RecordAssigned(**_standing(record), actor=actor.pk if actor else None, happened_at=at))
    return record


@transaction.atomic
def change(
    record_id: int, *, actor: Person | None, version: int | None, note: str = "", **changes: Any
) -> Record:
    """Changes title, description, category, ci, service, place, requester or contact data. Raises Changed."""
    allowed = {
        "title", "description", "category", "ci", "service", "place", "requester", "requester_name", "requester_phone",
    }  # fmt: skip
    if unknown := set(changes) - allowed:
        raise ValueError(f"cannot change {', '.join(sorted(unknown))} of a record")
    record = lock(record_id, version, changes)
    written = _changes(record, changes)
    if not written and not note:
        return record
    for name, value in changes.items():
        setattr(record, name, value)
    if "title" in written:
        # A person's own words are shown as they are; they are no text with places to fill.
        record.title_params = None
    record.place_path = record.place.path
    record.terms = record_terms(record)
    return write_down(record, Line(kind="changed", actor=actor, changes=written, note=note), tuple(written))


@transaction.atomic
def comment(record_id: int, *, actor: Person | None, note: str, is_public: bool = False) -> Record:
    """Adds a note. Nothing is overwritten by it, so no version is asked for. Raises ReasonMissing if empty."""
    if not note.strip():
        raise ReasonMissing
    record = lock(record_id, None, {})
    return write_down(
        record, Line(kind="comment", actor=actor, note=note.strip(), is_public=is_public), ("comment",)
    )


@transaction.atomic
def remark(
    record_id: int,
    *,
    kind: str,
    note: str,
    params: Mapping[str, Any],
    propose: str = "",
    is_public: bool = False,
) -> Record:
    """The system's own line: an English msgid with its parameters; `propose` names the move it suggests."""
    record = lock(record_id, None, {})
    if record.is_open:
        record.proposed_move = propose
    return write_down(record, Line(kind=kind, note=note, params=params, is_public=is_public), (kind,))


@transaction.atomic
def set_priority(
    record_id: int,
    state: priority.PriorityInput,
    *,
    actor: Person | None,
    reason: str,
    version: int | None = None,
    second: Person | None = None,
) -> Record:
    """Computes the priority anew from changed answers.

    Lowering a P1 or a record that touches patient safety needs a `second` person.
    Raises ReasonMissing, SecondPersonNeeded, Changed.
    """
    if not reason.strip():
        raise ReasonMissing
    record = lock(record_id, version, {"reason": reason, **asdict(state)})
    result = priority.priority_of(state)
    lowers = result.level > record.priority
    is_safety = state.patient_safety != priority.PatientSafety.NONE
    is_guarded = (lowers or (record.is_safety and not is_safety)) and (
        record.priority == 1 or record.is_safety
    )
    has_second = second is not None and actor is not None and second.pk != actor.pk
    if is_guarded and not has_second:
        raise SecondPersonNeeded(record)
    changes: dict[str, tuple[Any, Any]] = {
        "priority": (f"P{record.priority}", result.priority),
        "priority_why": (record.priority_why, result.explanation),
    }
    if second is not None:
        changes["second_person"] = (None, second.name)
    record.priority, record.priority_why = result.level, result.explanation
    record.priority_input = asdict(state)
    record.is_safety = is_safety
    return write_down(
        record, Line(kind="priority", actor=actor, changes=changes, note=reason.strip()), ("priority",)
    )


@transaction.atomic
def set_due(record_id: int, due_at: datetime | None, clock: str) -> None:
    """Caches the next deadline for the queues. Not a change of the record: no entry, no new version."""
    Record.objects.filter(pk=record_id).update(due_at=due_at, due_clock=clock)


def lock(record_id: int, version: int | None, attempt: Mapping[str, Any]) -> Record:
    """The record, locked to the end of the transaction. Raises Changed if it is past `version`.

    A comment, a clock's warning or an alarm's line in the meantime does not get into
    anybody's way; a move, an assignment or a changed field does.
    """
    record = Record.objects.select_for_update().get(pk=record_id)
    if version is not None and record.version != version:
        # Every change adds one entry and one version, so the two count alike.
        newer = list(Entry.objects.filter(record=record, sequence__gt=version).order_by("sequence"))
        if version > record.version or any(entry.kind in CONFLICTING for entry in newer):
            raise Changed(record, newer, attempt)
    return record


def flow_of(record: Record) -> workflow.Workflow:
    """The workflow that the record was opened under."""
    present = workflow.workflow_for(record.kind)
    if present.version == record.workflow_version:
        return present
    kept = WorkflowVersion.objects.get(kind=record.kind, version=record.workflow_version)
    return workflow.from_data(kept.definition)


_kept: set[tuple[str, int]] = set()


def keep_workflow(flow: workflow.Workflow) -> None:
    """Writes the definition down before the first record lives under it."""
    if (flow.kind, flow.version) not in _kept:
        WorkflowVersion.objects.get_or_create(
            kind=flow.kind, version=flow.version, defaults={"definition": flow.as_data()}
        )
        transaction.on_commit(lambda: _kept.add((flow.kind, flow.version)))


def record_terms(record: Record) -> list[str]:
    titles = [record.shown_title]
    if record.title_params is not None:
        # Found by the words of either language, whoever looks.
        for language in ("zh-hans", "en"):
            with translation.override(language):
                titles.append(record.shown_title)
    words = [record.number, *titles, record.description, record.requester_name, record.place.name_zh]
    return terms_of(*words, record.ci.name if record.ci else "")


def write_down(record: Record, line: Line, changed: tuple[str, ...]) -> Record:
    """Writes one line into the journal of a locked record and announces what changed."""
    at = timezone.now()
    _write(record, line, at=at)
    actor = line.actor.pk if line.actor else None
    announce(RecordChanged(**_standing(record), changed=changed, actor=actor, happened_at=at))
    return record


def _write(record: Record, line: Line, *, at: datetime) -> Entry:
    entry = build(record, line, at=at)
    entry.save(force_insert=True)
    if line.kind != "opened":
        record.version += 1
    record.save()
    return entry


def _changes(record: Record, wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """{field: (old, new)} of what differs, in words that stay readable when a row is gone."""
    changes = {}
    for name, new in wanted.items():
        old = getattr(record, name)
        if old != new:
            changes[name] = (_word(old), _word(new))
    return changes


def _word(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return both(value) if hasattr(value, "name_zh") else str(value)


def _standing(record: Record) -> dict[str, Any]:
    return {
        "record": record.pk,
        "number": record.number,
        "kind": record.kind,
        "version": record.version,
        "hospital": record.hospital_id,
        "place_path": record.place_path,
        "state": record.state,
        "priority": record.priority,
        "team": record.team_id,
        "assignee": record.assignee_id,
        "requester": record.requester_id,
    }
