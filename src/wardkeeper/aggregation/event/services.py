"""The only writer of events: keeps what was said, and hands the conditions in it to the alarm room."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from wardkeeper.aggregation.alarm import services as alarms
from wardkeeper.aggregation.event.models import Event
from wardkeeper.aggregation.event.rules import meaning, shipped
from wardkeeper.messages import ObservationReceived
from wardkeeper.registry.cmdb.queries import identify
from wardkeeper.registry.places.queries import hospitals

KEPT = timedelta(days=30)
BATCH = 10_000


@transaction.atomic
def take(observations: Sequence[ObservationReceived]) -> None:
    """Stores a batch and applies its conditions in order; a handful of statements for any size."""
    if not observations:
        return
    rules = shipped()
    cis = identify({seen.source for seen in observations})
    known = list(hospitals()[:2])
    only = known[0] if len(known) == 1 else None
    rows, conditions = [], []
    for seen in observations:
        ci = cis.get(seen.source)
        said = meaning(seen, ci.pk if ci else None, rules)
        where = ci or only
        rows.append(
            Event(
                at=seen.happened_at,
                hospital=where.hospital_id if where else None,
                place_path=ci.place_path if ci else (only.path if only else ""),
                ci=ci.pk if ci else None,
                ci_name=ci.name if ci else "",
                adapter=seen.adapter,
                source=seen.source,
                kind=seen.kind[:200],
                severity=said.severity,
                text=said.text,
                fields=dict(seen.fields),
            )
        )
        if said.condition is not None:
            conditions.append(said.condition)
    Event.objects.bulk_create(rows)
    alarms.apply(conditions)


def forget(before: datetime) -> int:
    """Deletes events from before then, in batches; returns how many."""
    deleted = 0
    while True:
        ids = list(Event.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:BATCH])
        if not ids:
            return deleted
        Event.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
