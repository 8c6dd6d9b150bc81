"""How a practice declares its pages: what is its own; queue, journal, moves and the rest come from here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordPage:
    """slug is the first part of the address; titles are English msgids.

    answers  names of the record's `fields` that the page shows when they are filled, with their titles
    """

    kind: str
    slug: str
    title: str
    many: str
    icon: str
    answers: tuple[tuple[str, str], ...] = ()
