"""X.733 perceived severities and their order."""

from enum import StrEnum


class Severity(StrEnum):
    """ITU-T X.733, 8.1.2.3. `indeterminate`: something is wrong, how badly cannot be told."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    INDETERMINATE = "indeterminate"
    WARNING = "warning"
    CLEARED = "cleared"


RANK = {severity: rank for rank, severity in enumerate(Severity)}
"""0 is the worst."""
