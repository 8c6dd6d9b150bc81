"""What can go wrong when a record is changed; each says the facts and the next step."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from wardkeeper.ledger.models import Entry, Record


class LedgerRefused(Exception):
    """Nothing was changed. `str()` is for the person, in their language."""


class MoveNotAllowed(LedgerRefused):
    def __init__(self, record: Record, move: str, allowed: Sequence[str]) -> None:
        super().__init__(
            _("%(number)s is %(state)s; %(move)s is not possible. Possible: %(allowed)s.")
            % {
                "number": record.number,
                "state": record.state,
                "move": move,
                "allowed": ", ".join(allowed) or "–",
            }
        )
        self.allowed = tuple(allowed)


class AnswersMissing(LedgerRefused):
    """`fields`: {name: what is wrong}."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(_("Some answers are missing or wrong: %(names)s.") % {"names": ", ".join(fields)})
        self.fields = dict(fields)


class Changed(LedgerRefused):
    """Somebody else changed the record since the writer read it.

    record   as it stands now
    entries  what was added since, so that the writer sees it
    attempt  what the writer wanted, so that nothing typed is lost
    """

    def __init__(self, record: Record, entries: Sequence[Entry], attempt: Mapping[str, Any]) -> None:
        who = ", ".join(dict.fromkeys(entry.actor_name for entry in entries if entry.actor_name)) or _(
            "the system"
        )
        super().__init__(
            _("%(who)s changed %(number)s meanwhile. Look at the changes, then save again.")
            % {"who": who, "number": record.number}
        )
        self.record = record
        self.entries = list(entries)
        self.attempt = dict(attempt)


class SecondPersonNeeded(LedgerRefused):
    def __init__(self, record: Record) -> None:
        super().__init__(
            _(
                "Lowering the priority of %(number)s needs a second person, because it is P1 or touches patient safety."
            )
            % {"number": record.number}
        )


class ReasonMissing(LedgerRefused):
    def __init__(self) -> None:
        super().__init__(_("Say why: the reason stays in the journal."))
