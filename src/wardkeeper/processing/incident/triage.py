"""How bad a fault is that nobody has told us about: the six answers read from the alarm and the CMDB."""

from datetime import datetime

from django.conf import settings

from wardkeeper.ledger.priority import AreaClass, PatientSafety, PriorityInput, Tier, outpatient_peak
from wardkeeper.registry.cmdb import queries as cmdb
from wardkeeper.registry.cmdb.models import CI

DEGRADATION = {"critical": 3, "major": 2, "minor": 1, "indeterminate": 1, "warning": 1}
"""X.733 severity -> DOMAIN 5.2, D. An alarm is never a mere question, so never 0."""
UNIT, SEVERAL_UNITS, CAMPUS = 1, 2, 3
MANY_UNITS = 20
"""So many departments are as good as a campus."""


def breadth_of(ci: CI) -> int:
    """How many are touched, 0..3: the departments that use it if known, else what its type touches usually."""
    touched = len(cmdb.affected_places(ci.pk))
    if touched >= MANY_UNITS:
        return CAMPUS
    if touched > SEVERAL_UNITS:
        return SEVERAL_UNITS
    return max(UNIT, min(ci.type.breadth, UNIT)) if touched else ci.type.breadth


def from_alarm(ci: CI | None, severity: str, area_class: str, at: datetime) -> PriorityInput:
    """A fault seen by monitoring. Nobody has said that there is a safe workaround, so there is none."""
    return PriorityInput(
        breadth=breadth_of(ci) if ci else UNIT,
        tier=Tier(cmdb.best_tier(ci.pk)) if ci else Tier.T3,
        degradation=DEGRADATION[severity],
        area_class=AreaClass(area_class),
        outpatient_peak=outpatient_peak(at, settings.TIME_ZONE),
        patient_safety=PatientSafety.NONE,
        safe_workaround=False,
    )
