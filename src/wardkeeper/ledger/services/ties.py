"""What hangs on a record: links to others, files, watchers."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from wardkeeper.ledger import attachments
from wardkeeper.ledger.errors import LedgerRefused
from wardkeeper.ledger.journal import Line
from wardkeeper.ledger.models import Attachment, Link, Record, Watcher
from wardkeeper.ledger.services.records import lock, write_down
from wardkeeper.registry.people.models import Person


@transaction.atomic
def attach(
    record_id: int, *, actor: Person | None, name: str, content: bytes, is_public: bool = True
) -> Attachment:
    """Keeps a file with the record. Raises AttachmentRefused."""
    stored = attachments.store(name, content)
    record = lock(record_id, None, {})
    attachment = Attachment.objects.create(
        record=record,
        name=stored.name,
        media_type=stored.media_type,
        size_bytes=stored.size_bytes,
        digest=stored.digest,
        added_at=timezone.now(),
        added_by=actor,
        is_public=is_public,
    )
    # The digest stands in the journal, so that an exchanged file shows.
    changes = {"attachment": (None, f"{stored.name} sha256:{stored.digest}")}
    write_down(
        record, Line(kind="attached", actor=actor, changes=changes, is_public=is_public), ("attachment",)
    )
    return attachment


@transaction.atomic
def link(source_id: int, target_id: int, *, kind: str, actor: Person | None) -> Link:
    """Links two records; both journals say so. Raises LedgerRefused for a record and itself."""
    if source_id == target_id:
        raise LedgerRefused(_("A record cannot be linked to itself."))
    # In order of id, so that two people who link the same pair do not lock each other out.
    locked = {record_id: lock(record_id, None, {}) for record_id in sorted((source_id, target_id))}
    source, target = locked[source_id], locked[target_id]
    made, is_new = Link.objects.get_or_create(
        kind=kind, source=source, target=target, ended_at=None, defaults={"made_at": timezone.now()}
    )
    if is_new:
        _note_link(source, target, kind, actor, was=None)
    return made


@transaction.atomic
def unlink(link_id: int, *, actor: Person | None) -> None:
    found = Link.objects.get(pk=link_id, ended_at=None)
    locked = {
        record_id: lock(record_id, None, {}) for record_id in sorted((found.source_id, found.target_id))
    }
    found.ended_at = timezone.now()
    found.save(update_fields=["ended_at"])
    source, target = locked[found.source_id], locked[found.target_id]
    _note_link(source, target, found.kind, actor, was=found.kind)


def _note_link(source: Record, target: Record, kind: str, actor: Person | None, *, was: str | None) -> None:
    for record, other in ((source, target), (target, source)):
        text = f"{kind} {other.number}"
        changes = {"link": (text, None) if was else (None, text)}
        write_down(record, Line(kind="linked", actor=actor, changes=changes), ("link",))


def watch(record_id: int, person: Person) -> None:
    Watcher.objects.get_or_create(record_id=record_id, person=person)


def unwatch(record_id: int, person: Person) -> None:
    Watcher.objects.filter(record=record_id, person=person).delete()
