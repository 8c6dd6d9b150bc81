"""One line of a journal without the weight of a model: half a million are written at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from wardkeeper.ledger.chain import entry_hash
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.registry.people.models import Person


@dataclass(slots=True)
class Line:
    """The columns of `ledger.models.Entry`."""

    record_id: int
    sequence: int
    at: datetime
    actor_id: int | None
    actor_name: str
    kind: str
    move: str
    before: str
    after: str
    changes: Mapping[str, Any]
    note: str
    params: Mapping[str, Any] | None
    is_public: bool
    previous_hash: str
    hash: str


def written(
    record: Record,
    kind: str,
    *,
    actor: Person | None,
    at: datetime,
    move: str = "",
    after: str = "",
    changes: Mapping[str, Any] | None = None,
    note: str = "",
    params: Mapping[str, Any] | None = None,
) -> Line:
    """The next line of `record`, chained by the ledger's own hash; moves the record along as `ledger.journal` does."""
    line = Line(
        record.pk, record.entry_count + 1, at, actor.pk if actor else None, actor.name if actor else "", kind, move,
        record.state, after or record.state, changes or {}, note, params, True, record.entry_hash, "",
    )  # fmt: skip
    # The hash reads attributes by name only, and the names are the same.
    line.hash = entry_hash(cast("Entry", line), record.entry_hash)
    record.state, record.entry_count, record.entry_hash = line.after, line.sequence, line.hash
    return line
