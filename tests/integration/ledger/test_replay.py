"""Whatever happens to a record, in whatever order: its state is the last line of its journal."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration import hospital
from wardkeeper.ledger import chain, services
from wardkeeper.ledger.errors import LedgerRefused
from wardkeeper.ledger.models import Entry, Record
from wardkeeper.ledger.workflow import GuardRefused, workflow_for

pytestmark = pytest.mark.django_db
MOVES = [move.name for move in workflow_for("incident").moves]
ANSWERS = {
    "cause": "network", "solution": "换网线", "minutes": 3, "no_ci": True, "pending_reason": "user",
    "next_action_at": "2026-11-23T09:00:00+08:00", "workaround": "用备用机", "reason": "复现",
}  # fmt: skip
STEPS = st.lists(
    st.one_of(st.sampled_from(MOVES), st.sampled_from(["comment", "assign", "remark"])), max_size=12
)


@pytest.fixture
def place():
    return hospital.build()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_state_is_the_last_entry(place, steps):
    new = services.NewRecord(kind="incident", title="断网", place=place.ward, channel="phone")
    record = services.open_record(new, actor=place.nurse)
    for step in steps:
        try:
            _take(place, record, step)
        except (LedgerRefused, GuardRefused):
            continue
    record = Record.objects.get(pk=record.pk)
    entries = list(Entry.objects.filter(record=record).order_by("sequence"))
    assert record.state == entries[-1].after
    assert record.version == record.entry_count == len(entries)
    assert all(before.after == after.before for before, after in pairwise(entries))
    assert list(chain.verify()) == []


def _take(place: hospital.Hospital, record: Record, step: str) -> None:
    if step == "comment":
        services.comment(record.pk, actor=place.nurse, note="还在等")
    elif step == "assign":
        services.assign(record.pk, actor=place.chief, team=place.network, assignee=place.engineer)
    elif step == "remark":
        services.remark(record.pk, kind="alarm", note="The alarm is back.", params={}, propose="resolve")
    else:
        services.move(record.pk, step, actor=place.engineer, answers=ANSWERS)
