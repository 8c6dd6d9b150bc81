"""The only writers of alarms: many statements become few facts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from wardkeeper.aggregation.alarm.catalogue import filled, text_of
from wardkeeper.aggregation.alarm.condition import Condition
from wardkeeper.aggregation.alarm.models import Alarm, AlarmState, LastClear
from wardkeeper.aggregation.alarm.severity import RANK, Severity
from wardkeeper.bus.outbox import announce
from wardkeeper.messages import AlarmChanged, AlarmCleared, AlarmMessage, AlarmRaised
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.cmdb.queries import by_ids
from wardkeeper.registry.people.models import Person
from wardkeeper.registry.places.models import Place
from wardkeeper.registry.places.queries import hospitals

REOPEN_WITHIN = timedelta(minutes=10)
"""A condition that comes back this soon is the same alarm again, not a new one with a new incident."""
NEVER_TAKEN_BACK = ("trap.received", "device.restarted", "snmp.authentication", "syslog.severe")
SILENT_FOR = timedelta(hours=24)
CLEARS_KEPT = timedelta(days=30)
"""No collector's spool holds a raise back for longer than this."""
APPLY_LOCK = 0xA1A2
LONGEST_ACKNOWLEDGEMENT = timedelta(days=30)


@transaction.atomic
def apply(conditions: Sequence[Condition], at: datetime | None = None) -> None:
    """Folds a batch of statements into the alarms, in the order given.

    A handful of statements whatever the size of the batch. Announces raised, cleared and
    changed alarms; a mere repetition changes the count and announces nothing.
    """
    if not conditions:
        return
    at = at or timezone.now()
    _alone()
    fold = _Fold(conditions, at)
    for condition in conditions:
        fold.take(condition)
    fold.store()


def _alone() -> None:
    """Makes this the only writer of alarms to the end of its transaction.

    Two batches that raise the same fingerprint at once would both find it absent; a person
    who acknowledges during a batch would count the version up to the same number, and who
    listens would take the second message for an old one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [APPLY_LOCK])


class _Fold:
    """One batch under way: what is known, what changed."""

    def __init__(self, conditions: Sequence[Condition], at: datetime) -> None:
        fingerprints = {condition.fingerprint for condition in conditions}
        self.at = at
        self.alarms: dict[str, Alarm] = {}
        rows = Alarm.objects.filter(fingerprint__in=fingerprints).distinct("fingerprint")
        # The newest of each fingerprint says it all: active, or when it last ended.
        for alarm in rows.order_by("fingerprint", "-id"):
            self.alarms[alarm.fingerprint] = alarm
        clears = LastClear.objects.filter(fingerprint__in=fingerprints)
        self.clears: dict[str, datetime] = dict(clears.values_list("fingerprint", "at"))
        self.new_clears: dict[str, datetime] = {}
        self.cis = by_ids({condition.ci for condition in conditions if condition.ci is not None})
        self.only_hospital = _only_hospital()
        self.fresh: list[Alarm] = []
        self.touched: dict[int, Alarm] = {}
        self.said: list[tuple[type[AlarmMessage], Alarm]] = []

    def take(self, condition: Condition) -> None:
        alarm = self.alarms.get(condition.fingerprint)
        if condition.severity == Severity.CLEARED:
            self._clear(alarm, condition)
        elif alarm is not None and alarm.state == AlarmState.ACTIVE:
            self._repeat(alarm, condition)
        elif alarm is not None and self._is_soon(alarm, condition):
            self._reopen(alarm, condition)
        else:
            self._raise(condition)

    def _raise(self, condition: Condition) -> None:
        alarm = _new_alarm(condition, self.cis.get(condition.ci or 0), self.only_hospital)
        self.fresh.append(alarm)
        self.alarms[condition.fingerprint] = alarm
        self.said.append((AlarmRaised, alarm))
        ended_at = self.clears.get(condition.fingerprint)
        if ended_at is not None and ended_at >= condition.happened_at:
            # Its end arrived before its beginning: it is history, but it happened.
            self._end(alarm, ended_at)

    def _repeat(self, alarm: Alarm, condition: Condition) -> None:
        alarm.count += 1
        alarm.last_at = max(alarm.last_at, condition.happened_at)
        alarm.raised_at = min(alarm.raised_at, condition.happened_at)
        self._touch(alarm)
        if condition.severity != alarm.severity:
            alarm.severity, alarm.rank = condition.severity, RANK[Severity(condition.severity)]
            alarm.parameters = dict(condition.parameters)
            self._say(AlarmChanged, alarm)

    def _is_soon(self, alarm: Alarm, condition: Condition) -> bool:
        ended_at = alarm.cleared_at
        return ended_at is not None and condition.happened_at - ended_at < REOPEN_WITHIN

    def _reopen(self, alarm: Alarm, condition: Condition) -> None:
        self._touch(alarm)
        alarm.count += 1
        if alarm.cleared_at is not None and condition.happened_at <= alarm.cleared_at:
            return  # a late repetition from before the end
        alarm.state, alarm.cleared_at = AlarmState.ACTIVE, None
        alarm.reopened_count += 1
        alarm.severity, alarm.rank = condition.severity, RANK[Severity(condition.severity)]
        alarm.last_at = condition.happened_at
        self._say(AlarmChanged, alarm)

    def _clear(self, alarm: Alarm | None, condition: Condition) -> None:
        known = self.clears.get(condition.fingerprint)
        if known is None or known < condition.happened_at:
            self.clears[condition.fingerprint] = self.new_clears[condition.fingerprint] = (
                condition.happened_at
            )
        if alarm is None or alarm.state != AlarmState.ACTIVE or condition.happened_at < alarm.last_at:
            return
        self._end(alarm, condition.happened_at)

    def _end(self, alarm: Alarm, ended_at: datetime) -> None:
        alarm.state, alarm.cleared_at = AlarmState.CLEARED, ended_at
        self._touch(alarm)
        self._say(AlarmCleared, alarm)

    def _touch(self, alarm: Alarm) -> None:
        if alarm.pk:
            self.touched[alarm.pk] = alarm

    def _say(self, kind: type[AlarmMessage], alarm: Alarm) -> None:
        alarm.version += 1
        self.said.append((kind, alarm))

    def store(self) -> None:
        # What ended leaves its fingerprint free before what is new takes it.
        Alarm.objects.bulk_create(
            self.touched.values(),
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[
                "severity", "rank", "state", "count", "reopened_count", "version", "parameters", "raised_at", "last_at",
                "cleared_at",
            ],
        )  # fmt: skip
        Alarm.objects.bulk_create(self.fresh)
        LastClear.objects.bulk_create(
            (LastClear(fingerprint=name, at=at) for name, at in self.new_clears.items()),
            update_conflicts=True,
            unique_fields=["fingerprint"],
            update_fields=["at"],
        )
        # One alarm may have changed twice in a batch: the messages say where it stands in the end.
        announce(*(_message(kind, alarm) for kind, alarm in self.said))


def _new_alarm(condition: Condition, ci: CI | None, only_hospital: Place | None) -> Alarm:
    place = ci.place if ci else only_hospital
    return Alarm(
        fingerprint=condition.fingerprint,
        condition=condition.condition,
        parameters=dict(condition.parameters),
        severity=condition.severity,
        rank=RANK[Severity(condition.severity)],
        state=AlarmState.ACTIVE,
        source=condition.source,
        ci=ci,
        ci_name=ci.name if ci else str(condition.parameters.get("sender", "")),
        hospital_id=place.hospital_id if place else None,
        place=place,
        place_path=place.path if place else "",
        raised_at=condition.happened_at,
        last_at=condition.happened_at,
        is_demo=bool(ci and ci.is_demo),
    )


def _only_hospital() -> Place | None:
    """Where a stranger's alarm belongs: to the hospital, if there is one only."""
    found = list(hospitals()[:2])
    return found[0] if len(found) == 1 else None


def _message(kind: type[AlarmMessage], alarm: Alarm) -> AlarmMessage:
    return kind(
        alarm=alarm.pk,
        version=alarm.version,
        fingerprint=alarm.fingerprint,
        condition=alarm.condition,
        text=text_of(alarm.condition),
        parameters=_plain(filled(alarm.parameters, alarm.ci_name)),
        severity=alarm.severity,
        state=alarm.state,
        count=alarm.count,
        hospital=alarm.hospital_id,
        place=alarm.place_id,
        place_path=alarm.place_path,
        ci=alarm.ci_id,
        ci_name=alarm.ci_name,
        raised_at=alarm.raised_at,
        cleared_at=alarm.cleared_at,
    )


def _plain(parameters: Mapping[str, object]) -> dict[str, str | int | float | bool | None]:
    plain = (str, int, float, bool)
    return {
        name: value if value is None or isinstance(value, plain) else str(value)
        for name, value in parameters.items()
    }


@transaction.atomic
def acknowledge(
    alarm_ids: Iterable[int], *, actor: Person, note: str = "", until: datetime | None = None
) -> list[Alarm]:
    """Somebody has seen these; `until` bounds how long that quiets them, at most 30 days."""
    _alone()
    at = timezone.now()
    latest = at + LONGEST_ACKNOWLEDGEMENT
    alarms = list(Alarm.objects.select_for_update().filter(pk__in=list(alarm_ids)).order_by("pk"))
    for alarm in alarms:
        alarm.acknowledged_by, alarm.acknowledged_at = actor, at
        alarm.acknowledged_until = min(until, latest) if until else latest
        alarm.acknowledged_note = note.strip()[:500]
        alarm.version += 1
    fields = ["acknowledged_by", "acknowledged_at", "acknowledged_until", "acknowledged_note", "version"]
    Alarm.objects.bulk_update(alarms, fields)
    announce(*(_message(AlarmChanged, alarm) for alarm in alarms))
    return alarms


@transaction.atomic
def withdraw_acknowledgement(alarm_ids: Iterable[int]) -> None:
    _alone()
    alarms = list(Alarm.objects.select_for_update().filter(pk__in=list(alarm_ids)).order_by("pk"))
    for alarm in alarms:
        alarm.acknowledged_by = alarm.acknowledged_at = alarm.acknowledged_until = None
        alarm.acknowledged_note = ""
        alarm.version += 1
    fields = ["acknowledged_by", "acknowledged_at", "acknowledged_until", "acknowledged_note", "version"]
    Alarm.objects.bulk_update(alarms, fields)
    announce(*(_message(AlarmChanged, alarm) for alarm in alarms))


@transaction.atomic
def clear_by_hand(alarm_id: int, *, at: datetime | None = None) -> None:
    """For conditions whose source never says that they are over, such as a single trap."""
    _alone()
    alarm = Alarm.objects.select_for_update().get(pk=alarm_id)
    if alarm.state == AlarmState.ACTIVE:
        alarm.state, alarm.cleared_at = AlarmState.CLEARED, at or timezone.now()
        alarm.version += 1
        alarm.save(update_fields=["state", "cleared_at", "version"])
        announce(_message(AlarmCleared, alarm))


@transaction.atomic
def expire(*, at: datetime | None = None) -> int:
    """Clears alarms of conditions that are said once and never taken back; returns how many."""
    at = at or timezone.now()
    _alone()
    silent = Alarm.objects.filter(
        state=AlarmState.ACTIVE, condition__in=NEVER_TAKEN_BACK, last_at__lt=at - SILENT_FOR
    )
    LastClear.objects.filter(at__lt=at - CLEARS_KEPT).delete()
    ids = list(silent.values_list("pk", flat=True))
    for alarm_id in ids:
        clear_by_hand(alarm_id, at=at)
    return len(ids)
