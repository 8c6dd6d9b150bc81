"""A record's life as four dots: received, somebody on it, works again, done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from datetime import datetime

    from wardkeeper.ledger.models import Record


@dataclass(frozen=True, slots=True)
class Dot:
    """`state`: past, here or ahead."""

    title: str
    state: str
    at: datetime | None


def life_of(record: Record) -> list[Dot]:
    """The dot of the last thing that happened is `here`."""
    times = [record.opened_at, record.accepted_at, record.resolved_at or record.restored_at, record.closed_at]
    titles = [_("Received"), _("Accepted"), _("Works again"), _("Done")]
    here = max(index for index, at in enumerate(times) if at is not None)
    return [
        Dot(title, "past" if index < here else "here" if index == here else "ahead", at)
        for index, (title, at) in enumerate(zip(titles, times, strict=True))
    ]
