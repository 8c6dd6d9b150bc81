"""The clinically right priority of a fault, from six questions, with its reasons. Pure.

Source: the hospital domain, chapter 5.2-5.3. `docs/why/priority.md` tells why the
rules are as they are and how the text was read where it leaves a choice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from wardkeeper.messages.sentence import InvalidField, Sentence, gettext_noop
from wardkeeper.registry.calendars.clock import ServiceCalendar


class Tier(StrEnum):
    """How much the hospital leans on the affected service. A fault of one terminal counts as T3."""

    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"


class AreaClass(StrEnum):
    """A0 emergency, intensive care, theatres; A1 medical technology; A2 wards; A3 clinics; A4 offices."""

    A0 = "A0"
    A1 = "A1"
    A2 = "A2"
    A3 = "A3"
    A4 = "A4"


class PatientSafety(StrEnum):
    NONE = "none"
    POTENTIAL = "potential"
    ACTUAL = "actual"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityInput:
    """What the desk asks, at most 20 seconds on the telephone.

    breadth          0 one user or device, 1 one unit or window group, 2 three units or
                     more, or a building (also when the desk heard it from three
                     departments within ten minutes: rule R5), 3 a campus or hospital
    degradation      0 a question or cosmetic, 1 minor, 2 badly degraded, 3 down
    outpatient_peak  it is the peak of the clinics now; matters to A3 only
    safe_workaround  the work can go on safely without; the only device of its kind in
                     a unit has none
    security_breach  ransomware, intrusion or leak, confirmed
    """

    breadth: int
    tier: Tier
    degradation: int
    area_class: AreaClass
    outpatient_peak: bool = False
    patient_safety: PatientSafety = PatientSafety.NONE
    safe_workaround: bool = False
    security_breach: bool = False

    def __post_init__(self) -> None:
        for name in ("breadth", "degradation"):
            if getattr(self, name) not in range(4):
                raise InvalidField(name, gettext_noop("must be a whole number from 0 to 3"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityResult:
    """`rules` are those whose condition holds, whether or not the table alone had said the same."""

    priority: str
    impact: str
    urgency: str
    rules: tuple[str, ...]
    impact_score: int
    urgency_score: int
    table: str

    @property
    def level(self) -> int:
        """1 for P1 ... 5 for P5: the number that a record keeps."""
        return int(self.priority[1])

    @property
    def explanation(self) -> str:
        """The short form on a record: "I3 x U1, R3"."""
        return ", ".join([f"{self.impact} x {self.urgency}", *self.rules])


TIER_RANK = {Tier.T1: 3, Tier.T2: 2, Tier.T3: 1, Tier.T4: 0}
AREA_RANK = {AreaClass.A0: 4, AreaClass.A1: 3, AreaClass.A2: 2, AreaClass.A3: 1, AreaClass.A4: 0}
SAFETY_SCORE = {PatientSafety.NONE: 0, PatientSafety.POTENTIAL: 3, PatientSafety.ACTUAL: 6}
IMPACT_FROM = (11, 8, 4)
"""Least score of I1, I2, I3; less is I4."""
URGENCY_FROM = (12, 9, 5)
"""Least score of U1, U2, U3; less is U4."""
TABLE = ((1, 1, 2, 3), (1, 2, 3, 4), (2, 3, 3, 4), (3, 4, 4, 5))
"""TABLE[impact - 1][urgency - 1]"""
QUESTION_AT_MOST = 4
PEAK_HOURS = (time(8), time(11))


def area_rank(state: PriorityInput) -> int:
    """How much is at stake where it happens, 0..4: at their peak, clinics rank with A1."""
    if state.area_class is AreaClass.A3 and state.outpatient_peak:
        return AREA_RANK[AreaClass.A1]
    return AREA_RANK[state.area_class]


def _peak_of_clinics(state: PriorityInput) -> bool:
    return (
        state.outpatient_peak
        and state.area_class is AreaClass.A3
        and state.tier is Tier.T1
        and state.degradation == 3  # noqa: PLR2004 - "down" of 5.2
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """Raises to `floor` where `holds`. Rules never lower."""

    code: str
    holds: Callable[[PriorityInput], bool]
    floor: Callable[[PriorityInput], int]
    reason: str


_BADLY = 2
RULES = (
    Rule(
        "R1",
        lambda s: s.patient_safety is PatientSafety.ACTUAL,
        lambda _: 1,
        gettext_noop("R1: a patient was harmed, so P1; fill in the adverse-event form."),
    ),
    Rule(
        "R2",
        lambda s: s.patient_safety is PatientSafety.POTENTIAL and not s.safe_workaround,
        lambda _: 2,
        gettext_noop("R2: a patient could be harmed and there is no safe workaround, so at least P2."),
    ),
    Rule(
        "R3",
        lambda s: s.area_class is AreaClass.A0 and s.degradation >= _BADLY,
        lambda _: 2,
        gettext_noop("R3: badly degraded or down in a life-saving area (A0), so at least P2."),
    ),
    Rule(
        "R4",
        lambda s: s.breadth == 3 and s.tier is Tier.T1 and s.degradation >= _BADLY,  # noqa: PLR2004 - the campus of 5.2
        lambda _: 1,
        gettext_noop("R4: a T1 service is badly degraded or down on the whole campus, so P1."),
    ),
    Rule(
        "R6",
        _peak_of_clinics,
        lambda s: (3, 2, 1, 1)[s.breadth],
        gettext_noop("R6: a T1 service is down in the clinics at their peak, so at least %(floor)s."),
    ),
    Rule(
        "R7",
        lambda s: s.security_breach,
        lambda _: 1,
        gettext_noop("R7: a confirmed security breach, so P1; the legal time limits for reporting run."),
    ),
)


def _is_mere_question(state: PriorityInput) -> bool:
    return state.degradation == 0 and state.patient_safety is PatientSafety.NONE


def _band(score: int, least: tuple[int, ...]) -> int:
    return next((band for band, bound in enumerate(least, start=1) if score >= bound), len(least) + 1)


def priority_of(state: PriorityInput) -> PriorityResult:
    """Table, then Q caps a mere question at P4, then the R rules raise; the highest floor wins.

    Q comes before the rules, so that a confirmed breach told as a question is P1.
    """
    rank = area_rank(state)
    impact_score = 2 * state.breadth + TIER_RANK[state.tier] + rank
    urgency_score = (
        3 * state.degradation + rank + (not state.safe_workaround) + SAFETY_SCORE[state.patient_safety]
    )
    impact, urgency = _band(impact_score, IMPACT_FROM), _band(urgency_score, URGENCY_FROM)
    table = level = TABLE[impact - 1][urgency - 1]
    rules = [rule for rule in RULES if rule.holds(state)]
    codes = [rule.code for rule in rules]
    if _is_mere_question(state):
        level = max(level, QUESTION_AT_MOST)
        codes.append("Q")
    level = min([level, *(rule.floor(state) for rule in rules)])
    return PriorityResult(
        priority=f"P{level}",
        impact=f"I{impact}",
        urgency=f"U{urgency}",
        rules=tuple(codes),
        impact_score=impact_score,
        urgency_score=urgency_score,
        table=f"P{table}",
    )


def why(state: PriorityInput, result: PriorityResult) -> list[Sentence]:
    """The reasons in the order in which they were weighed; the last sentence is the outcome."""
    rank = area_rank(state)
    sentences = [
        Sentence(
            gettext_noop(
                "Impact %(impact)s: %(score)s points = 2 × %(breadth)s (breadth)"
                " + %(tier_rank)s (tier %(tier)s) + %(area_rank)s (area %(area)s)."
            ),
            {
                "impact": result.impact,
                "score": result.impact_score,
                "breadth": state.breadth,
                "tier": state.tier.value,
                "tier_rank": TIER_RANK[state.tier],
                "area": state.area_class.value,
                "area_rank": rank,
            },
        ),
        Sentence(
            gettext_noop(
                "Urgency %(urgency)s: %(score)s points = 3 × %(degradation)s (degradation)"
                " + %(area_rank)s (area) + %(workaround)s (no safe workaround) + %(safety)s (patient safety)."
            ),
            {
                "urgency": result.urgency,
                "score": result.urgency_score,
                "degradation": state.degradation,
                "area_rank": rank,
                "workaround": int(not state.safe_workaround),
                "safety": SAFETY_SCORE[state.patient_safety],
            },
        ),
    ]
    if state.area_class is AreaClass.A3 and state.outpatient_peak:
        sentences.append(Sentence(gettext_noop("At the peak of the clinics an A3 area counts like A1.")))
    sentences.append(
        Sentence(
            gettext_noop("%(impact)s and %(urgency)s give %(priority)s in the table."),
            {"impact": result.impact, "urgency": result.urgency, "priority": result.table},
        )
    )
    return [*sentences, *_rule_sentences(state, result)]


def _rule_sentences(state: PriorityInput, result: PriorityResult) -> list[Sentence]:
    sentences = []
    if "Q" in result.rules:
        sentences.append(Sentence(gettext_noop("Q: a question without danger to a patient is not above P4.")))
    for rule in RULES:
        if rule.code in result.rules:
            floor = {"floor": f"P{rule.floor(state)}"} if "%(floor)s" in rule.reason else {}
            sentences.append(Sentence(rule.reason, floor))
    sentences.append(
        Sentence(gettext_noop("So the priority is %(priority)s."), {"priority": result.priority})
    )
    return sentences


_ALLOWED: dict[str, type[StrEnum]] = {"tier": Tier, "area_class": AreaClass, "patient_safety": PatientSafety}
_REQUIRED = ("breadth", "tier", "degradation", "area_class")


def parse(data: Mapping[str, Any]) -> PriorityInput:
    """Reads the six answers as they come from JSON.

    Raises InvalidField with the name of the answer: missing, unknown, of a wrong type or out of range.
    """
    known = {f.name for f in fields(PriorityInput)}
    for name in data:
        if name not in known:
            raise InvalidField(
                name, gettext_noop("is not known; allowed: %(allowed)s"), allowed=", ".join(sorted(known))
            )
    for name in _REQUIRED:
        if name not in data:
            raise InvalidField(name, gettext_noop("is missing"))
    return PriorityInput(**{name: _read(name, value) for name, value in data.items()})


def _read(name: str, value: Any) -> Any:
    if name in _ALLOWED:
        allowed = [member.value for member in _ALLOWED[name]]
        if value not in allowed:
            raise InvalidField(name, gettext_noop("must be one of %(allowed)s"), allowed=", ".join(allowed))
        return _ALLOWED[name](value)
    # bool is an int in Python: without these two lines `true` would pass as breadth 1, and 1 as `true`.
    wanted = int if name in {"breadth", "degradation"} else bool
    if type(value) is not wanted:
        if wanted is bool:
            raise InvalidField(name, gettext_noop("must be true or false"))
        raise InvalidField(name, gettext_noop("must be a whole number from 0 to 3"))
    return value


def outpatient_peak(
    at: datetime,
    timezone: str,
    *,
    hours: tuple[time, time] = PEAK_HOURS,
    calendar: ServiceCalendar | None = None,
) -> bool:
    """Whether the clinics are at their peak: `hours` by the clock of `timezone`, first included, last not.

    calendar  the clinics' own; on a day on which it is closed there is no peak
    """
    local = at.astimezone(ZoneInfo(timezone))
    if not hours[0] <= local.time() < hours[1]:
        return False
    return calendar is None or calendar.is_working_day(local.date())
