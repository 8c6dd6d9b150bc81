"""The hash chain of the journal: how a changed or missing line is found.

Each entry's hash covers its content and the hash before it; the record keeps the
count and the last hash; seals cover all entries of all records in order of id.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from wardkeeper.ledger.models import Entry, Record, Seal

CONTENT = (
    "record_id", "sequence", "at", "actor_id", "actor_name", "kind", "move", "before", "after", "changes", "note",
    "params", "is_public",
)  # fmt: skip
SEAL_LOCK = 0x5EA1
BATCH = 5_000


def entry_hash(entry: Entry, previous_hash: str) -> str:
    """SHA-256 over the entry's content in canonical JSON and the hash before it, in hex."""
    content: dict[str, Any] = {name: getattr(entry, name) for name in CONTENT}
    content["at"] = entry.at.astimezone(UTC).isoformat()
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous_hash}\n{text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """`what`: changed, missing, record_changed, seal_broken. `where` names the record or seal."""

    what: str
    where: str


def verify() -> Iterator[Finding]:
    """Reads the whole journal in batches and yields everything that does not fit."""
    yield from _verify_records()
    yield from _verify_seals()


def _verify_records() -> Iterator[Finding]:
    last = 0
    while records := list(Record.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = records[-1].pk
        by_record: dict[int, list[Entry]] = {record.pk: [] for record in records}
        for entry in Entry.objects.filter(record__in=by_record).order_by("record_id", "sequence"):
            by_record[entry.record_id].append(entry)
        for record in records:
            yield from _verify_record(record, by_record[record.pk])


def _verify_record(record: Record, entries: list[Entry]) -> Iterator[Finding]:
    previous = ""
    for expected, entry in enumerate(entries, start=1):
        if entry.sequence != expected:
            yield Finding("missing", f"{record.number}/{expected}")
            return
        if entry.previous_hash != previous or entry.hash != entry_hash(entry, previous):
            yield Finding("changed", f"{record.number}/{entry.sequence}")
            return
        previous = entry.hash
    if record.entry_count != len(entries) or record.entry_hash != previous:
        yield Finding("missing", f"{record.number}/{len(entries) + 1}")
    elif entries and record.state != entries[-1].after:
        yield Finding("record_changed", record.number)


def _verify_seals() -> Iterator[Finding]:
    previous: Seal | None = None
    for seal in Seal.objects.order_by("last_entry").iterator():
        count, digest = _digest(seal.first_entry, seal.last_entry, previous.hash if previous else "")
        follows = previous is None or seal.first_entry == previous.last_entry + 1
        if not follows or count != seal.entries or digest != seal.hash:
            yield Finding("seal_broken", f"{seal.first_entry}-{seal.last_entry}")
            return
        previous = seal


def _digest(first: int, last: int, previous_hash: str) -> tuple[int, str]:
    running = hashlib.sha256(previous_hash.encode())
    count = 0
    rows = Entry.objects.filter(pk__gte=first, pk__lte=last).order_by("pk").values_list("pk", "hash")
    for pk, value in rows.iterator(chunk_size=BATCH):
        running.update(f"{pk}:{value}\n".encode())
        count += 1
    return count, running.hexdigest()


@transaction.atomic
def _last_settled() -> int:
    """The highest id below which every entry is committed; 0 if there is none.

    Ids are given out before commit, so an entry with a lower id could still be on its way:
    the table is locked against writers, for the moment in which the highest id is read.
    """
    with connection.cursor() as cursor:
        # Behind a long writer (a demo being loaded) every other writer would queue up with us:
        # rather give way, fail, and let the next run seal.
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("LOCK TABLE ledger_entry IN SHARE MODE")
        cursor.execute("SET LOCAL lock_timeout = 0")
    last: int | None = Entry.objects.aggregate(last=Max("pk"))["last"]
    return last or 0


def seal() -> Seal | None:
    """Seals all entries since the last seal. None if there are none, or another process is at it."""
    # In a transaction of its own: hashing a year's entries must not keep anybody from writing.
    last = _last_settled()
    with transaction.atomic():
        return _seal_to(last)


def _seal_to(last: int) -> Seal | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        if not cursor.fetchone()[0]:
            return None
    previous = Seal.objects.order_by("-last_entry").first()
    first = previous.last_entry + 1 if previous else 1
    if last < first:
        return None
    previous_hash = previous.hash if previous else ""
    count, digest = _digest(first, last, previous_hash)
    return Seal.objects.create(
        first_entry=first,
        last_entry=last,
        entries=count,
        at=timezone.now(),
        previous_hash=previous_hash,
        hash=digest,
    )
