"""The only writers of incidents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop as _

from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Record
from wardkeeper.ledger.workflow import GuardRefused
from wardkeeper.messages import AlarmMessage, RecordAssigned, RecordOpened
from wardkeeper.processing.incident import triage
from wardkeeper.processing.incident.models import AlarmTie, Incident
from wardkeeper.registry.cmdb import queries as cmdb
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.people.models import Person
from wardkeeper.registry.places import queries as places

OPENS_INCIDENT = ("critical", "major", "minor", "indeterminate")
"""A warning is shown on the console; nobody is called for it."""
CLOSED_STATES = ("closed", "cancelled", "merged")


@transaction.atomic
def move(
    record_id: int,
    name: str,
    *,
    actor: Person,
    version: int | None = None,
    answers: Mapping[str, Any] | None = None,
    note: str = "",
    ci: CI | None = None,
) -> Record:
    """One step along the workflow. Who accepts without being named becomes the assignee.

    `ci`, what failed, is written down with the step if the record names none yet.

    Raises what `ledger.services.move` raises.
    """
    if ci is not None and ledger.lock(record_id, version, {"move": name, "note": note}).ci_id is None:
        changed = ledger.change(record_id, actor=actor, version=version, ci=ci)
        version = changed.version if version is not None else None
    if name == "accept":
        record = ledger.lock(record_id, version, {"move": name, "note": note})
        if record.assignee_id != actor.pk and (record.assignee_id is None or record.state != "accepted"):
            team = record.team
            assigned = ledger.assign(record_id, actor=actor, team=team, assignee=actor)
            version = assigned.version if version is not None else None
    return ledger.move(record_id, name, actor=actor, version=version, answers=answers, note=note)


@transaction.atomic
def begin(opened: RecordOpened) -> None:
    """The incident's own row, once."""
    Incident.objects.get_or_create(
        record_id=opened.record,
        defaults={"detected_by": "monitoring" if opened.channel == "monitoring" else "people"},
    )


@transaction.atomic
def note_assigned(assigned: RecordAssigned) -> None:
    """A record that got a team or a person counts as assigned, unless work has gone further."""
    record = ledger.lock(assigned.record, None, {})
    if record.state in ("new", "triaged", "returned") and record.team_id is not None:
        ledger.move(record.pk, "assign", actor=None)


@transaction.atomic
def hear_alarm(alarm: AlarmMessage) -> Record | None:
    """One incident per alarm, in whatever order and however often its messages come.

    Each message is the alarm's whole state, so the first one heard opens the record even
    if it is not the first one sent; older versions than already heard change nothing.
    """
    tie = AlarmTie.objects.select_for_update().filter(pk=alarm.alarm).first()
    if tie is None:
        if alarm.severity not in OPENS_INCIDENT or alarm.place is None:
            return None
        record = _open(alarm)
        tie = AlarmTie.objects.create(
            alarm=alarm.alarm, record=record, version=alarm.version, state="active", severity=alarm.severity
        )
    elif alarm.version <= tie.version:
        return tie.record
    _follow(tie, alarm)
    tie.version, tie.state, tie.severity = alarm.version, alarm.state, alarm.severity
    tie.save(update_fields=["record", "version", "state", "severity"])
    return tie.record


def _open(alarm: AlarmMessage) -> Record:
    place = places.place(alarm.place or 0)
    ci = cmdb.by_ids([alarm.ci]).get(alarm.ci) if alarm.ci else None
    new = ledger.NewRecord(
        kind="incident",
        title=alarm.text or alarm.condition,
        title_params=dict(alarm.parameters),
        place=place,
        channel="monitoring",
        ci=ci,
        service=ci if ci and ci.type.is_service else None,
        priority_input=triage.from_alarm(ci, alarm.severity, place.area_class, alarm.raised_at),
        occurred_at=alarm.raised_at,
        note=_("Opened by alarm %(alarm)s (%(severity)s)."),
        params={"alarm": alarm.alarm, "severity": alarm.severity},
        is_demo=bool(ci and ci.is_demo),
    )
    return ledger.open_record(new, actor=None)


def _follow(tie: AlarmTie, alarm: AlarmMessage) -> None:
    """Says in the record what became of its alarm, and proposes the next step."""
    if alarm.state == "cleared" and tie.state == "active":
        ledger.remark(
            tie.record_id,
            kind="alarm",
            note=_("The alarm cleared at %(at)s. If the service works again, resolve the record."),
            params={"at": _clock(alarm.cleared_at or alarm.happened_at)},
            propose="resolve",
            is_public=True,
        )
    elif alarm.state == "active" and tie.state == "cleared":
        record = ledger.remark(
            tie.record_id, kind="alarm", note=_("The alarm is back."), params={}, is_public=True
        )
        if record.state in ("resolved", "closed"):
            _reopen(tie, record, alarm)
    elif alarm.severity != tie.severity:
        ledger.remark(
            tie.record_id,
            kind="alarm",
            note=_("The alarm is now %(severity)s; it was %(before)s."),
            params={"severity": alarm.severity, "before": tie.severity},
        )


def _reopen(tie: AlarmTie, record: Record, alarm: AlarmMessage) -> None:
    """Opens the record again; a new one, linked to it, if it ended too long ago."""
    try:
        ledger.move(
            record.pk,
            "reopen",
            actor=None,
            answers={"reason": "alarm"},
            note=_("The alarm is back."),
            params={},
        )
    except GuardRefused:
        tie.record = _open(alarm)
        ledger.link(tie.record.pk, record.pk, kind="related", actor=None)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(settings.TIME_ZONE)):%m-%d %H:%M:%S}"
