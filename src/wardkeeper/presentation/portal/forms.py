"""What comes in from the report page, checked."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from wardkeeper.ledger.priority import PatientSafety

LONGEST_TEXT = 4000
DEGRADATIONS = {"works": 1, "slow": 2, "down": 3}


@dataclass(frozen=True, slots=True)
class Filled:
    """The report page as it was sent; `problems` by field, in the reader's language."""

    submission: UUID
    place: int | None
    category: str
    how_bad: str
    is_unit: bool
    is_safety: bool
    text: str
    phone: str
    photo: "UploadedFile[Any] | None"
    problems: dict[str, str]

    @property
    def degradation(self) -> int:
        return DEGRADATIONS.get(self.how_bad, 3)

    @property
    def patient_safety(self) -> PatientSafety:
        return PatientSafety.POTENTIAL if self.is_safety else PatientSafety.NONE


def read(request: HttpRequest) -> Filled:
    sent = request.POST
    problems: dict[str, str] = {}
    category, text = sent.get("category", ""), sent.get("text", "").replace("\x00", "").strip()
    how_bad = sent.get("how_bad", "")
    if not category and not text:
        problems["category"] = _("Tap what it is about, or say it in words.")
    if how_bad not in DEGRADATIONS:
        problems["how_bad"] = _("Tap how bad it is.")
    if len(text) > LONGEST_TEXT:
        problems["text"] = _("Please shorten it to 4,000 characters.")
    place = sent.get("place", "")
    return Filled(
        submission=_uuid(sent.get("submission", "")),
        place=int(place) if place.isascii() and place.isdigit() and len(place) < 19 else None,  # noqa: PLR2004 - a bigint
        category=category[:20].replace("\x00", ""),
        how_bad=how_bad,
        is_unit=sent.get("unit") == "on",
        is_safety=sent.get("safety") == "on",
        text=text[:LONGEST_TEXT],
        phone=sent.get("phone", "").replace("\x00", "").strip()[:40],
        photo=request.FILES.get("photo"),
        problems=problems,
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid4()
