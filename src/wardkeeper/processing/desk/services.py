"""The only writers of contacts: what somebody tells us becomes a record at once, with its number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from wardkeeper.bus.outbox import announce
from wardkeeper.ledger import queries as records
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.errors import LedgerRefused
from wardkeeper.ledger.models import Category, Record
from wardkeeper.ledger.priority import AreaClass, PatientSafety, PriorityInput, Tier, outpatient_peak
from wardkeeper.messages import ContactLogged
from wardkeeper.processing.desk.models import Contact
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.people.models import Person
from wardkeeper.registry.places.models import Place

SAME_FAULT_WITHIN = timedelta(minutes=10)
DEPARTMENTS_OF_A_BUILDING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a person says about a fault.

    submission   the sender's own id of this report: sent twice, it counts once
    degradation  1 still works, 2 very slow, 3 does not work at all (DOMAIN 5.2, D)
    breadth      0 one device, 1 the whole unit
    """

    submission: UUID
    place: Place
    channel: str
    category: Category | None = None
    title: str = ""
    text: str = ""
    name: str = ""
    phone: str = ""
    ci: CI | None = None
    degradation: int = 3
    breadth: int = 0
    patient_safety: str = PatientSafety.NONE
    safe_workaround: bool = False
    kind: str = "incident"


class SubmissionTaken(LedgerRefused):
    """Somebody else has used this submission. Their record is none of this sender's business."""

    def __init__(self) -> None:
        super().__init__(gettext("Another report has this submission already. Send it under a new one."))


@transaction.atomic
def report(
    said: Report, *, person: Person | None, logged_by: Person | None = None, at: datetime | None = None
) -> Record:
    """Logs the contact, triages it and opens its record. The same submission gives the same record.

    Raises SubmissionTaken.
    """
    at = at or timezone.now()
    contact, is_new = Contact.objects.select_for_update().get_or_create(
        submission=said.submission,
        defaults={
            "hospital": said.place.hospital or said.place,
            "place": said.place,
            "channel": said.channel,
            "at": at,
            "person": person,
            "logged_by": logged_by,
            "name": said.name or (person.name if person else ""),
            "phone": said.phone or (person.phone if person else ""),
            "text": said.text,
            "answers": _answers(said),
        },
    )
    sender = (person and person.pk, logged_by and logged_by.pk)
    if not is_new and (contact.person_id, contact.logged_by_id) != sender:
        raise SubmissionTaken
    if not is_new and contact.record is not None:
        return contact.record
    record = ledger.open_record(_new_record(said, person, at), actor=logged_by or person, at=at)
    contact.record = record
    contact.save(update_fields=["record"])
    announce(ContactLogged(contact=contact.pk, record=record.pk, channel=said.channel, happened_at=at))
    return record


def _new_record(said: Report, person: Person | None, at: datetime) -> ledger.NewRecord:
    service = service_of(said)
    title = said.title.strip() or (said.text.strip().splitlines() or [""])[0][:120]
    return ledger.NewRecord(
        kind=said.kind,
        title=title or (said.category.name if said.category else said.place.name),
        description=said.text,
        place=said.place,
        channel=said.channel,
        category=said.category,
        ci=said.ci,
        service=service,
        requester=person,
        requester_name=said.name,
        requester_phone=said.phone,
        priority_input=triage(said, service, at),
        note=_("Reported through %(channel)s."),
        params={"channel": said.channel},
    )


def triage(said: Report, service: CI | None, at: datetime) -> PriorityInput:
    """The six answers. Three departments with the same service down within 10 minutes are a building (R5)."""
    breadth = said.breadth
    if service is not None:
        earlier = records.departments_reporting(
            service.pk, since=at - SAME_FAULT_WITHIN, besides=said.place.pk
        )
        if earlier + 1 >= DEPARTMENTS_OF_A_BUILDING:
            breadth = max(breadth, 2)
    tier = service.tier if service else Tier.T3
    return PriorityInput(
        breadth=breadth,
        tier=Tier(tier),
        degradation=said.degradation,
        area_class=AreaClass(said.place.area_class),
        outpatient_peak=outpatient_peak(at, settings.TIME_ZONE),
        patient_safety=PatientSafety(said.patient_safety),
        safe_workaround=said.safe_workaround,
    )


def service_of(said: Report) -> CI | None:
    """The service that the reported thing is or belongs to; a device of its own has none."""
    if said.ci is not None and said.ci.type.is_service:
        return said.ci
    if said.category is None or not said.category.service_code:
        return None
    hospital = said.place.hospital_id
    return CI.objects.filter(hospital=hospital, code=said.category.service_code).first()


def _answers(said: Report) -> Mapping[str, Any]:
    kept = ("title", "degradation", "breadth", "patient_safety", "safe_workaround")
    return {name: getattr(said, name) for name in kept}
