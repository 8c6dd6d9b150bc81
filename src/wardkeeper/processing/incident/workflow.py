"""The life of an incident, as data (DOMAIN 1.2, P2)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from wardkeeper.ledger.models import Record
from wardkeeper.ledger.workflow import FieldRule, GuardRefused, Move, State, Workflow

REOPEN_WITHIN = timedelta(days=7)

CAUSES = (
    ("hardware", _("Hardware")),
    ("software", _("Software defect")),
    ("configuration", _("Configuration")),
    ("capacity", _("Capacity")),
    ("network", _("Network")),
    ("vendor", _("Vendor")),
    ("human", _("Handling")),
    ("environment", _("Environment")),
    ("security", _("Security")),
    ("external", _("External")),
    ("consumable", _("Consumables")),
    ("unknown", _("Not found")),
)
PENDING_REASONS = (
    ("user", _("Pending user")),
    ("agreed_date", _("Agreed date")),
    ("vendor", _("Pending vendor")),
    ("parts", _("Pending parts")),
    ("change", _("Pending change")),
)

_WORKING = ("accepted", "on_site", "diagnosing")

STATES = (
    State(name="new", title=_("New"), tone="new"),
    State(name="triaged", title=_("Triaged"), tone="new"),
    State(name="assigned", title=_("Assigned"), tone="new"),
    State(name="returned", title=_("Returned"), tone="new"),
    State(name="accepted", title=_("Accepted")),
    State(name="on_site", title=_("On site")),
    State(name="diagnosing", title=_("Diagnosing")),
    State(name="pending", title=_("On hold"), tone="waiting"),
    State(name="restored", title=_("Restored")),
    State(name="resolved", title=_("Resolved"), tone="done"),
    State(name="closed", title=_("Closed"), is_open=False, tone="done"),
    State(name="merged", title=_("Merged"), is_open=False, tone="done"),
    State(name="cancelled", title=_("Cancelled"), is_open=False, tone="done"),
)

_REASON = FieldRule(name="reason", title=_("Reason"), type="long_text")

MOVES = (
    Move(name="triage", title=_("Triage"), sources=("new", "returned"), target="triaged", right="desk.work"),
    Move(name="assign", title=_("Dispatch"), sources=("new", "triaged", "returned"), target="assigned",
         right="record.assign"),
    Move(name="accept", title=_("Accept"), sources=("new", "triaged", "assigned", "returned"), target="accepted",
         stamps=("accepted_at",), is_main=True),
    Move(name="arrive", title=_("On site"), sources=("accepted", "diagnosing"), target="on_site"),
    Move(name="diagnose", title=_("Start diagnosis"), sources=("accepted", "on_site"), target="diagnosing"),
    Move(name="pend", title=_("Put on hold"), sources=(*_WORKING, "restored"), target="pending", fields=(
        FieldRule(name="pending_reason", title=_("Waiting for"), type="choice", choices=PENDING_REASONS),
        FieldRule(name="next_action_at", title=_("Next action at"), type="datetime"),
    )),
    Move(name="resume", title=_("Continue"), sources=("pending",), target="diagnosing", is_main=True),
    Move(name="restore", title=_("Service restored"), sources=(*_WORKING, "pending"), target="restored",
         stamps=("restored_at",), fields=(
        FieldRule(name="workaround", title=_("Workaround"), type="long_text"),
    )),
    Move(name="resolve", title=_("Resolve"), sources=(*_WORKING, "pending", "restored"), target="resolved",
         guards=("incident.has_ci",), stamps=("restored_at", "resolved_at"), is_main=True, fields=(
        FieldRule(name="cause", title=_("Cause"), type="choice", choices=CAUSES),
        FieldRule(name="solution", title=_("Solution"), type="long_text"),
        FieldRule(name="minutes", title=_("Minutes of work"), type="minutes"),
        FieldRule(name="no_ci", title=_("No configuration item is concerned"), type="bool", required=False),
    )),
    Move(name="confirm", title=_("Yes, it works again"), sources=("resolved",), target="closed",
         right="desk.work", requester_may=True, stamps=("closed_at",), is_main=True),
    Move(name="reopen", title=_("Reopen"), sources=("resolved", "closed"), target="assigned", requester_may=True,
         guards=("incident.within_a_week",), clears=("resolved_at", "closed_at", "restored_at"), fields=(_REASON,)),
    Move(name="return", title=_("Return to the desk"), sources=("assigned", "accepted"), target="returned",
         fields=(_REASON,)),
    Move(name="withdraw", title=_("Withdraw"), sources=("new", "triaged", "assigned"), target="cancelled",
         right="desk.work", requester_may=True, stamps=("closed_at",), fields=(_REASON,)),
    Move(name="cancel", title=_("Cancel"), sources=("returned", *_WORKING, "pending"), target="cancelled",
         right="desk.work", stamps=("closed_at",), fields=(_REASON,)),
)  # fmt: skip

WORKFLOW = Workflow(
    kind="incident", code="INC", version=1, title=_("Incident"), initial="new", states=STATES, moves=MOVES
)


def has_ci(record: Record, answers: Mapping[str, Any], actor: int | None) -> None:
    """What failed must be known, or said not to be in the CMDB: otherwise no figure about devices is true."""
    del actor
    if record.ci_id is None and not answers.get("no_ci"):
        raise GuardRefused(
            gettext("Name the configuration item that failed, or tick that none is concerned.")
        )


def within_a_week(record: Record, answers: Mapping[str, Any], actor: int | None) -> None:
    del answers, actor
    ended_at = record.closed_at or record.resolved_at
    if ended_at is not None and timezone.now() - ended_at > REOPEN_WITHIN:
        raise GuardRefused(
            gettext("%(number)s ended more than 7 days ago. Report it anew; the two can be linked.")
            % {"number": record.number}
        )


GUARDS = {"incident.has_ci": has_ci, "incident.within_a_week": within_a_week}
