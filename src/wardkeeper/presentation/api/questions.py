"""Two questions that are answered without storing anything, so that hospitals can try their rules."""

from typing import Any

from django.http import HttpRequest
from ninja import Body, Router

from wardkeeper.ledger import priority
from wardkeeper.registry.calendars.queries import answer_deadline
from wardkeeper.registry.calendars.wording import say

router = Router(tags=["questions"])


@router.post("/priority", auth=None, openapi_extra={"requestBody": {"content": {"application/json": {"schema": {
    "type": "object", "required": ["breadth", "tier", "degradation", "area_class"],
    "properties": {
        "breadth": {"type": "integer", "minimum": 0, "maximum": 3},
        "tier": {"enum": ["T1", "T2", "T3", "T4"]},
        "degradation": {"type": "integer", "minimum": 0, "maximum": 3},
        "area_class": {"enum": ["A0", "A1", "A2", "A3", "A4"]},
        "outpatient_peak": {"type": "boolean"},
        "patient_safety": {"enum": ["none", "potential", "actual"]},
        "safe_workaround": {"type": "boolean"},
        "security_breach": {"type": "boolean"},
    }}}}}})  # fmt: skip
def ask_priority(request: HttpRequest, asked: Body[dict[str, Any]]) -> dict[str, Any]:
    """The priority of a fault from the six answers, with the rules that applied and the reasons in words."""
    del request
    state = priority.parse(asked)
    result = priority.priority_of(state)
    return {
        "priority": result.priority,
        "impact": result.impact,
        "urgency": result.urgency,
        "rules": list(result.rules),
        "explanation": result.explanation,
        "reasons": [say(sentence) for sentence in priority.why(state, result)],
    }


@router.post("/deadline", auth=None)
def ask_deadline(request: HttpRequest, asked: Body[dict[str, Any]]) -> dict[str, Any]:
    """When a target falls due on a calendar given inline, with pauses and warnings, and why."""
    del request
    return answer_deadline(asked)
