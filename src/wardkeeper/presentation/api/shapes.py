"""How the API shows what the rooms know: plain dicts, times as ISO 8601 with offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

from wardkeeper.ledger.queries import changes_of, said

if TYPE_CHECKING:
    from datetime import datetime

    from wardkeeper.aggregation.alarm.models import Alarm
    from wardkeeper.aggregation.event.models import Event
    from wardkeeper.ledger.models import Attachment, Entry, Link, Record
    from wardkeeper.ledger.workflow import Move
    from wardkeeper.processing.sla.queries import ClockView
    from wardkeeper.registry.cmdb.models import CI
    from wardkeeper.registry.people.models import Person, Team
    from wardkeeper.registry.places.models import Place


def moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def named(row: Place | Team | CI | Person | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"id": row.pk, "name": str(row)}


def record(found: Record) -> dict[str, Any]:
    return {
        "id": found.pk,
        "number": found.number,
        "kind": found.kind,
        "version": found.version,
        "title": found.shown_title,
        "state": found.state,
        "open": found.is_open,
        "priority": found.priority_code,
        "why": found.priority_why,
        "patient_safety": found.is_safety,
        "channel": found.channel,
        "place": named(found.place),
        "ci": named(found.ci),
        "service": named(found.service),
        "team": named(found.team),
        "assignee": named(found.assignee),
        "category": found.category.code if found.category else None,
        "requester": {"name": found.requester_name, "phone": found.requester_phone},
        "proposed_move": found.proposed_move or None,
        "opened_at": moment(found.opened_at),
        "accepted_at": moment(found.accepted_at),
        "restored_at": moment(found.restored_at),
        "resolved_at": moment(found.resolved_at),
        "closed_at": moment(found.closed_at),
        "due_at": moment(found.due_at),
        "due_clock": found.due_clock or None,
    }


def entry(line: Entry) -> dict[str, Any]:
    return {
        "sequence": line.sequence,
        "at": moment(line.at),
        "actor": line.actor_name or None,
        "kind": line.kind,
        "move": line.move or None,
        "before": line.before,
        "after": line.after,
        "changes": changes_of(line),
        "note": said(line),
        "public": line.is_public,
        "hash": line.hash,
    }


def move(step: Move) -> dict[str, Any]:
    return {
        "name": step.name,
        "title": gettext(step.title),
        "target": step.target,
        "fields": [
            {
                "name": rule.name,
                "title": gettext(rule.title),
                "type": rule.type,
                "required": rule.required,
                "choices": [{"value": value, "title": gettext(title)} for value, title in rule.choices],
            }
            for rule in step.fields
        ],
    }


def clock(view: ClockView) -> dict[str, Any]:
    return {
        "clock": view.clock,
        "state": view.state,
        "due_at": moment(view.due_at),
        "target": view.target,
        "used_share": view.used_share,
        "explanation": list(view.explanation),
    }


def link(tie: Link, other: Record, outward: bool) -> dict[str, Any]:  # noqa: FBT001 - says which way to read
    return {
        "id": tie.pk,
        "kind": tie.kind,
        "outward": outward,
        "record": {"id": other.pk, "number": other.number, "title": other.shown_title},
    }


def attachment(file: Attachment) -> dict[str, Any]:
    return {
        "id": file.pk,
        "name": file.name,
        "media_type": file.media_type,
        "size_bytes": file.size_bytes,
        "sha256": file.digest,
        "added_at": moment(file.added_at),
    }


def alarm(found: Alarm, incident: Record | None) -> dict[str, Any]:
    return {
        "id": found.pk,
        "condition": found.condition,
        "text": found.text,
        "parameters": found.parameters,
        "severity": found.severity,
        "state": found.state,
        "count": found.count,
        "fingerprint": found.fingerprint,
        "source": found.source,
        "ci": named(found.ci),
        "place": named(found.place),
        "raised_at": moment(found.raised_at),
        "last_at": moment(found.last_at),
        "cleared_at": moment(found.cleared_at),
        "acknowledged": {
            "by": found.acknowledged_by.name,
            "at": moment(found.acknowledged_at),
            "until": moment(found.acknowledged_until),
            "note": found.acknowledged_note,
        }
        if found.acknowledged_by
        else None,
        "incident": {"id": incident.pk, "number": incident.number} if incident else None,
    }


def observation(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": moment(event.at),
        "adapter": event.adapter,
        "source": event.source,
        "kind": event.kind,
        "severity": event.severity or None,
        "text": event.text,
        "ci": {"id": event.ci, "name": event.ci_name} if event.ci else None,
        "fields": event.fields,
    }


def ci(found: CI) -> dict[str, Any]:
    return {
        "id": found.pk,
        "code": found.code,
        "name": found.title,
        "name_zh": found.name,
        "name_en": found.name_en,
        "type": found.type.code,
        "life_state": found.life_state,
        "tier": found.tier,
        "place": named(found.place),
        "owner_team": named(found.owner_team),
        "version": found.version,
        "attributes": found.attributes,
    }


def place(found: Place) -> dict[str, Any]:
    return {
        "id": found.pk,
        "code": found.code,
        "kind": found.kind,
        "name": found.name,
        "name_zh": found.name_zh,
        "name_en": found.name_en,
        "area_class": found.area_class,
        "parent": found.parent_id,
        "hospital": found.hospital_id,
        "path": found.path,
    }
