"""What a room that watches something says to the alarm room: this condition holds, or no longer does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement about one condition.

    fingerprint  the same for every statement about the same condition, e.g. "17:interface.down:3"
    ci           the configuration item it holds on; None if it is not known
    condition    stable code, e.g. "interface.down"; `parameters` fill its text in any language
    severity     X.733: critical, major, minor, warning, or cleared
    happened_at  when it became true (UTC), by the clock of whoever noticed
    source       the room or adapter that says it, e.g. "metric"
    """

    fingerprint: str
    ci: int | None
    condition: str
    severity: str
    parameters: Mapping[str, str | int | float | bool | None]
    happened_at: datetime
    source: str
