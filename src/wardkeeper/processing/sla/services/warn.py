"""Tells of clocks that have used up a share of their target."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from wardkeeper.bus.outbox import announce
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Record
from wardkeeper.messages import ClockWarned
from wardkeeper.processing.sla import warning
from wardkeeper.processing.sla.course import Event, Settled, passed_share
from wardkeeper.processing.sla.models import Clock
from wardkeeper.processing.sla.services.sheets import Sheet, followed, settled, write
from wardkeeper.processing.sla.workflow import ClockName, EventKind, Running

_MOST = 500
"""Records looked at in one transaction."""


@transaction.atomic
def warn_due(now: datetime | None = None, *, most: int = _MOST) -> int:
    """Tells of every clock that has used up a further share of its target; returns how many were told.

    If several shares were passed since the last look, only the highest is told: that half of
    the time is used is no news when all of it is.
    """
    now = now or timezone.now()
    due = Clock.objects.filter(state=Running.RUNNING, next_warning_at__lte=now)
    ids = list(due.order_by("next_warning_at").values_list("record", flat=True)[:most])
    # A record that is being worked on at this moment is left to the next look.
    sheets = followed(set(ids), skip_locked=True)
    told = []
    for sheet in sheets:
        for clock in sheet.live:
            percent = _news(sheet, clock, now)
            if percent is not None:
                sheet.add(clock, Event(EventKind.WARN, now, percent=percent))
                told.append((sheet.record, clock, settled(sheet, clock)))
    # First the journals, which lock the records for update: `write` adds rows that refer to them, and two
    # writers that both refer to a record before either locks it would wait for each other.
    for record, clock, stands in told:
        _tell(record, clock, stands)
    write(sheets)
    return len(told)


def _news(sheet: Sheet, clock: ClockName, now: datetime) -> int | None:
    """The highest share that is used up and has not been told."""
    stands, calendar = settled(sheet, clock), sheet.calendar(clock)
    if calendar is None or stands.next_warning_at is None or stands.next_warning_at > now:
        return None
    return passed_share(sheet.courses[clock], calendar, now)


def _tell(record: Record, clock: ClockName, stands: Settled) -> None:
    if stands.due_at is None:
        return
    note, params = warning.line(clock, stands.warned_percent, stands.due_at)
    ledger.remark(record.pk, kind="clock", note=note, params=params)
    announce(
        ClockWarned(
            record=record.pk,
            number=record.number,
            hospital=record.hospital_id,
            place_path=record.place_path,
            clock=clock.value,
            percent=stands.warned_percent,
            due_at=stands.due_at,
        )
    )
