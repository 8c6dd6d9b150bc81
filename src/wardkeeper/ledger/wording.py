"""Names that the journal keeps, so that they stay readable when their row is gone; in both languages."""

from collections.abc import Mapping
from typing import Any, Protocol

from django.utils.translation import get_language


class Named(Protocol):
    """A team, a place: something with a Chinese name and, perhaps empty, an English one."""

    @property
    def name_zh(self) -> str: ...

    @property
    def name_en(self) -> str: ...


def both(named: Named) -> dict[str, str]:
    """What the journal keeps of it. The journal is never rewritten, and its readers speak two languages."""
    return {"zh": named.name_zh, "en": named.name_en or named.name_zh}


def in_readers_language(kept: Any) -> Any:
    """The inverse of `both` for whoever reads now; anything else as it is."""
    if isinstance(kept, Mapping):
        return kept["zh" if (get_language() or "zh").startswith("zh") else "en"]
    return kept
