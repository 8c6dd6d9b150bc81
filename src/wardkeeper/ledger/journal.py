"""Adds lines to a record's journal. Used by the ledger's services only, with the record locked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wardkeeper.ledger.chain import entry_hash
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.registry.people.models import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is to be written. `note` with `params` is an English text, translated when shown."""

    kind: str
    actor: Person | None = None
    actor_name: str = ""
    move: str = ""
    after: str | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    note: str = ""
    params: Mapping[str, Any] | None = None
    is_public: bool = False


def build(record: Record, line: Line, *, at: datetime) -> Entry:
    """The next entry of `record`, not saved; moves the record's state, count and last hash along."""
    entry = Entry(
        record=record,
        sequence=record.entry_count + 1,
        at=at,
        actor=line.actor,
        actor_name=line.actor_name or (line.actor.name if line.actor else ""),
        kind=line.kind,
        move=line.move,
        before=record.state,
        after=line.after or record.state,
        changes={name: [old, new] for name, (old, new) in line.changes.items()},
        note=line.note,
        params=dict(line.params) if line.params is not None else None,
        is_public=line.is_public,
        previous_hash=record.entry_hash,
    )
    entry.hash = entry_hash(entry, record.entry_hash)
    record.state = entry.after
    record.entry_count = entry.sequence
    record.entry_hash = entry.hash
    return entry
