"""Questions about incidents. Nothing here writes."""

from collections.abc import Iterable

from wardkeeper.ledger.models import Record
from wardkeeper.ledger.queries import visible
from wardkeeper.processing.incident.models import AlarmTie
from wardkeeper.registry.people.scope import Scope


def alarms_of(record_id: int) -> list[int]:
    """Ids of the alarms that the record stands for."""
    return list(AlarmTie.objects.filter(record=record_id).order_by("alarm").values_list("alarm", flat=True))


def records_of_alarms(scope: Scope, alarm_ids: Iterable[int]) -> dict[int, Record]:
    """The incident of each alarm that has one which the reader may see. Two statements."""
    ties = dict(AlarmTie.objects.filter(alarm__in=list(alarm_ids)).values_list("alarm", "record_id"))
    records = visible(scope).in_bulk(list(set(ties.values())))
    return {alarm: records[record] for alarm, record in ties.items() if record in records}
