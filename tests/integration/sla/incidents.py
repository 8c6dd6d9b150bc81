"""An incident that walks along its workflow at given minutes, and the times it is measured at."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration import hospital
from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Record
from wardkeeper.ledger.priority import AreaClass, PriorityInput, Tier
from wardkeeper.processing.sla import services
from wardkeeper.processing.sla.models import Clock

FRIDAY = datetime(2025, 6, 6, 8, 30, tzinfo=UTC)
"""16:30 in Shanghai; offices close at 17:30."""
ANSWERS = {"cause": "hardware", "solution": "换网线", "minutes": 20, "no_ci": True}
P1 = PriorityInput(breadth=3, tier=Tier.T1, degradation=3, area_class=AreaClass.A1)
P2 = PriorityInput(breadth=0, tier=Tier.T3, degradation=3, area_class=AreaClass.A0)
P3 = PriorityInput(breadth=2, tier=Tier.T3, degradation=2, area_class=AreaClass.A4)
P4 = PriorityInput(breadth=0, tier=Tier.T3, degradation=3, area_class=AreaClass.A4, safe_workaround=True)


class Case:
    """An incident that walks along its workflow at given minutes after its opening."""

    def __init__(self, place: hospital.Hospital, state: PriorityInput, opened: datetime = FRIDAY) -> None:
        self.place, self.opened = place, opened
        new = ledger.NewRecord(
            kind="incident", title="断网", place=place.ward, channel="portal", priority_input=state
        )
        self.id = ledger.open_record(new, actor=place.nurse, at=opened).pk

    def move(self, name: str, minute: float, **answers: Any) -> "Case":
        ledger.move(self.id, name, actor=self.place.engineer, answers=answers, at=self.after(minute))
        return self

    def after(self, minute: float) -> datetime:
        return self.opened + timedelta(minutes=minute)

    def follow(self) -> "Case":
        services.follow([self.id])
        return self

    @property
    def record(self) -> Record:
        return Record.objects.get(pk=self.id)

    def clock(self, name: str) -> Clock:
        return Clock.objects.get(record=self.id, clock=name)

    def states(self) -> dict[str, str]:
        return dict(Clock.objects.filter(record=self.id).values_list("clock", "state"))


def after(minute: float) -> datetime:
    return FRIDAY + timedelta(minutes=minute)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2025-06-{text}+08:00")
