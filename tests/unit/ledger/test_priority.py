"""The scheme of the domain, chapter 5: its examples, and a proof over every possible answer."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import product

import pytest

from wardkeeper.ledger.priority import (
    AreaClass,
    PatientSafety,
    PriorityInput,
    Tier,
    area_rank,
    outpatient_peak,
    parse,
    priority_of,
    why,
)
from wardkeeper.messages.sentence import InvalidField
from wardkeeper.registry.calendars.clock import Segment, ServiceCalendar

EVERY = [
    PriorityInput(
        breadth=breadth,
        tier=tier,
        degradation=degradation,
        area_class=area,
        outpatient_peak=peak,
        patient_safety=safety,
        safe_workaround=workaround,
    )
    for breadth, tier, degradation, area, peak, safety, workaround in product(
        range(4), Tier, range(4), AreaClass, (False, True), PatientSafety, (True, False)
    )
]
SAFETY = list(PatientSafety)


def asked(breadth, tier, degradation, area, *, peak=False, safety="none", spare=False, breach=False):
    return PriorityInput(
        breadth=breadth,
        tier=Tier(tier),
        degradation=degradation,
        area_class=AreaClass(area),
        outpatient_peak=peak,
        patient_safety=PatientSafety(safety),
        safe_workaround=spare,
        security_breach=breach,
    )


EXAMPLES = [
    ("director's-office printer, spare nearby", asked(0, "T3", 3, "A4", spare=True), "P4", "I4 x U2"),
    ("one ward PC dead, spare available", asked(0, "T3", 3, "A2", spare=True), "P4", "I4 x U2"),
    ("one ward PC dead, no spare", asked(0, "T3", 3, "A2"), "P3", "I4 x U1"),
    ("ward PDA scan failure, spare", asked(0, "T3", 3, "A2", spare=True), "P4", "I4 x U2"),
    ("09:10 all cashier windows down", asked(1, "T1", 3, "A3", peak=True), "P1", "I2 x U1, R6"),
    ("resus-room only wristband printer dead", asked(0, "T3", 3, "A0"), "P2", "I3 x U1, R3"),
    ("AIMS not capturing, manual possible", asked(0, "T1", 3, "A0", spare=True), "P2", "I3 x U1, R3"),
    ("LIS-analyser link down house-wide 07:40", asked(3, "T1", 3, "A1"), "P1", "I1 x U1, R4"),
    ("insurance interface down 10:00", asked(3, "T1", 3, "A3", peak=True), "P1", "I1 x U1, R4, R6"),
    ("forgotten password of doctor in clinic at peak", asked(0, "T1", 2, "A3", peak=True), "P3", "I3 x U2"),
    ("BI broken", asked(1, "T4", 3, "A4"), "P4", "I4 x U2"),
    ("how-to question", asked(0, "T1", 0, "A2"), "P4", "I3 x U4, Q"),
    ("CDSS shows wrong dose", asked(0, "T3", 2, "A2", safety="potential"), "P2", "I4 x U1, R2"),
    (
        "wrong blood group displayed, with harm",
        asked(0, "T1", 2, "A0", safety="actual"),
        "P1",
        "I3 x U1, R1, R3",
    ),
]


@pytest.mark.parametrize(
    ("state", "priority", "explanation"), [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES]
)
def test_worked_example_of_the_domain(state, priority, explanation):
    result = priority_of(state)
    assert (result.priority, result.explanation) == (priority, explanation)


def test_there_are_3840_states():
    assert len(EVERY) == 3840


def worse(state):
    """Every way in which one answer can get one step worse.

    An area gets worse with what is at stake there at that hour: at their peak the
    clinics (A3) rank with A1, so between these two neither is worse.
    """
    if state.breadth < 3:
        yield replace(state, breadth=state.breadth + 1)
    if state.degradation < 3:
        yield replace(state, degradation=state.degradation + 1)
    if state.tier != Tier.T1:
        yield replace(state, tier=list(Tier)[list(Tier).index(state.tier) - 1])
    if not state.outpatient_peak:
        yield replace(state, outpatient_peak=True)
    if state.safe_workaround:
        yield replace(state, safe_workaround=False)
    if state.patient_safety != PatientSafety.ACTUAL:
        yield replace(state, patient_safety=SAFETY[SAFETY.index(state.patient_safety) + 1])
    if not state.security_breach:
        yield replace(state, security_breach=True)
    for area in AreaClass:
        if area_rank(other := replace(state, area_class=area)) >= area_rank(state):
            yield other


def test_making_any_answer_worse_never_lowers_the_priority():
    both = [*EVERY, *(replace(state, security_breach=True) for state in EVERY)]
    level = {state: priority_of(state).level for state in both}
    violations = [(s, w) for s in both for w in worse(s) if level[w] > level[s]]
    assert violations == []


def test_clinics_at_their_peak_and_medical_technology_come_to_the_same_priority():
    for state in EVERY:
        if state.outpatient_peak and state.area_class is AreaClass.A3:
            assert priority_of(state).level == priority_of(replace(state, area_class=AreaClass.A1)).level


def test_peak_matters_to_clinics_only():
    for state in EVERY:
        if state.area_class is not AreaClass.A3:
            assert priority_of(state) == priority_of(
                replace(state, outpatient_peak=not state.outpatient_peak)
            )


def test_mere_question_is_never_above_p4_unless_it_tells_of_a_breach():
    for state in EVERY:
        if state.degradation == 0 and state.patient_safety is PatientSafety.NONE:
            assert priority_of(state).level >= 4
            assert priority_of(replace(state, security_breach=True)).rules == ("R7", "Q")
            assert priority_of(replace(state, security_breach=True)).level == 1


def test_rules_only_raise():
    for state in EVERY:
        result = priority_of(state)
        if "Q" not in result.rules:
            assert result.level <= int(result.table[1])


@pytest.mark.parametrize("state", EVERY[::97])
def test_reasons_name_both_scores_every_rule_and_the_outcome(state):
    result = priority_of(state)
    said = [
        sentence.msgid % sentence.values if sentence.values else sentence.msgid
        for sentence in why(state, result)
    ]
    assert said[0].startswith(f"Impact {result.impact}: {result.impact_score} points")
    assert said[1].startswith(f"Urgency {result.urgency}: {result.urgency_score} points")
    assert said[-1] == f"So the priority is {result.priority}."
    for rule in result.rules:
        assert any(text.startswith(f"{rule}: ") for text in said)


ANSWERS = {"breadth": 1, "tier": "T1", "degradation": 3, "area_class": "A3", "outpatient_peak": True}


def test_answers_are_read_from_json():
    assert parse(ANSWERS) == asked(1, "T1", 3, "A3", peak=True)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"breadth": 4}, "breadth"),
        ({"breadth": -1}, "breadth"),
        ({"breadth": True}, "breadth"),
        ({"breadth": "1"}, "breadth"),
        ({"degradation": 1.5}, "degradation"),
        ({"degradation": None}, "degradation"),
        ({"tier": "T5"}, "tier"),
        ({"tier": 1}, "tier"),
        ({"tier": ["T1"]}, "tier"),
        ({"area_class": "a0"}, "area_class"),
        ({"outpatient_peak": 1}, "outpatient_peak"),
        ({"patient_safety": "no"}, "patient_safety"),
        ({"safe_workaround": "true"}, "safe_workaround"),
        ({"vip": True}, "vip"),
    ],
)
def test_unusable_answer_is_refused_by_its_name(changed, field):
    with pytest.raises(InvalidField) as refused:
        parse({**ANSWERS, **changed})
    assert refused.value.field == field


@pytest.mark.parametrize("missing", ["breadth", "tier", "degradation", "area_class"])
def test_missing_answer_is_named(missing):
    with pytest.raises(InvalidField, match=f"{missing}: is missing"):
        parse({name: value for name, value in ANSWERS.items() if name != missing})


@pytest.mark.parametrize(
    ("utc", "peak"),
    [("23:59", False), ("00:00", True), ("02:59", True), ("03:00", False)],
)
def test_peak_is_eight_to_eleven_by_the_hospitals_clock(utc, peak):
    at = datetime.combine(date(2025, 10, 14), time.fromisoformat(utc), UTC)
    assert outpatient_peak(at, "Asia/Shanghai") is peak


def test_there_is_no_peak_on_a_day_on_which_the_clinics_are_closed():
    day = (Segment(8 * 3600, 17 * 3600),)
    clinics = ServiceCalendar("Asia/Shanghai", (day,) * 6 + ((),))
    sunday, monday = datetime(2025, 10, 12, 1, tzinfo=UTC), datetime(2025, 10, 13, 1, tzinfo=UTC)
    assert not outpatient_peak(sunday, "Asia/Shanghai", calendar=clinics)
    assert outpatient_peak(monday, "Asia/Shanghai", calendar=clinics)
