"""Questions about records. Nothing here writes, and every answer is narrowed by the reader's Scope."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext

from wardkeeper.ledger import workflow
from wardkeeper.ledger.cursor import Page, page_of
from wardkeeper.ledger.models import Attachment, Category, Entry, Link, Record
from wardkeeper.ledger.services.records import flow_of
from wardkeeper.ledger.wording import in_readers_language
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.people.scope import Scope
from wardkeeper.registry.search import terms_of_query

LATELY = 1000
"""Records that are looked at to learn what is reported most."""
HYDRATED = ("place", "team", "assignee", "ci", "category", "service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed to. Empty means everything the reader may see.

    mine       assigned to the reader; my_team: to one of the reader's teams; unassigned: to nobody
    sort       due (what is due next), newest, priority
    """

    kind: str = ""
    states: Sequence[str] = ()
    is_open: bool | None = None
    priorities: Sequence[int] = ()
    team: int | None = None
    assignee: int | None = None
    place_path: str = ""
    ci: int | None = None
    requester: int | None = None
    text: str = ""
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    mine: bool = False
    my_team: bool = False
    unassigned: bool = False
    watching: bool = False
    sort: str = "due"
    extra: Q = field(default_factory=Q)


# How each order is walked: the columns, and whether each goes up or down.
ORDERS: dict[str, tuple[tuple[str, bool], ...]] = {
    "due": (("due_at", True), ("id", True)),
    "newest": (("opened_at", False), ("id", False)),
    "priority": (("priority", True), ("opened_at", False), ("id", False)),
}


def visible(scope: Scope) -> QuerySet[Record]:
    """Records of the places in which the reader may see records."""
    return scope.places(Record.objects.all(), Right.RECORD_VIEW)


def own(scope: Scope) -> QuerySet[Record]:
    """What the reader has reported, wherever it is."""
    return Record.objects.filter(requester=scope.person) if scope.person else Record.objects.none()


def of_place(scope: Scope, place_path: str) -> QuerySet[Record]:
    """Open records of a ward for those who may report from it: so that one fault is not told ten times."""
    rows = Record.objects.filter(is_open=True, place_path__startswith=place_path)
    return scope.places(rows, Right.REPORT)


def may_see(scope: Scope, record: Record) -> bool:
    is_own = scope.person is not None and record.requester_id == scope.person
    return is_own or scope.may(Right.RECORD_VIEW, record.place_path)


def record(scope: Scope, record_id: int) -> Record:
    """Raises Record.DoesNotExist, also for one that the reader may not see."""
    found = Record.objects.select_related(*HYDRATED, "requester", "hospital").get(pk=record_id)
    if not may_see(scope, found):
        raise Record.DoesNotExist
    return found


def record_by_number(scope: Scope, number: str) -> Record:
    """Raises Record.DoesNotExist; two hospitals may have the same number, the reader's own comes first."""
    for found in Record.objects.filter(number=number).select_related(*HYDRATED).order_by("pk"):
        if may_see(scope, found):
            return found
    raise Record.DoesNotExist


def records(scope: Scope, wanted: Filter, *, cursor: str = "", size: int = 50) -> Page[Record]:
    """One page. Keys first by an index, then the rows: two statements however large the table.

    Raises BadCursor.
    """
    rows = filtered(scope, wanted)
    keys = page_of(rows, ORDERS[wanted.sort], cursor=cursor, size=size)
    by_id = Record.objects.select_related(*HYDRATED).in_bulk([key["id"] for key in keys.items])
    return Page([by_id[key["id"]] for key in keys.items if key["id"] in by_id], keys.next)


def filtered(scope: Scope, wanted: Filter) -> QuerySet[Record]:
    rows = visible(scope).filter(wanted.extra)
    exact = {
        "kind": wanted.kind, "team": wanted.team, "assignee": wanted.assignee, "ci": wanted.ci,
        "requester": wanted.requester, "place_path__startswith": wanted.place_path,
        "opened_at__gte": wanted.opened_from, "opened_at__lt": wanted.opened_before,
        "state__in": list(wanted.states), "priority__in": list(wanted.priorities),
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in exact.items() if value not in ("", None, [])})
    if wanted.is_open is not None:
        rows = rows.filter(is_open=wanted.is_open)
    if wanted.mine:
        rows = rows.filter(assignee=scope.person)
    if wanted.my_team:
        rows = rows.filter(team__in=scope.teams)
    if wanted.unassigned:
        rows = rows.filter(assignee=None)
    if wanted.watching:
        rows = rows.filter(watchers__person=scope.person)
    if wanted.text:
        rows = rows.filter(matching(wanted.text))
    return rows


def matching(text: str) -> Q:
    """Records that contain every word of `text`; a number, or its end, finds its record."""
    terms = terms_of_query(text)
    return Q(terms__contains=terms) if terms else Q(title__icontains=text.strip())


def counts(scope: Scope, wanted: Filter, *, at: datetime, soon: datetime) -> dict[str, int]:
    """Figures above the workbench, in one statement: overdue, due_soon, unassigned, urgent (P1/P2), open."""
    rows = filtered(scope, wanted).filter(is_open=True)
    return rows.aggregate(
        overdue=Count("pk", filter=Q(due_at__lt=at)),
        due_soon=Count("pk", filter=Q(due_at__gte=at, due_at__lt=soon)),
        unassigned=Count("pk", filter=Q(assignee=None)),
        urgent=Count("pk", filter=Q(priority__lte=2)),
        open=Count("pk"),
    )


def count(scope: Scope, wanted: Filter, *, most: int = 1000) -> int:
    """How many match, counted no further than `most`: beyond that nobody reads the number."""
    return filtered(scope, wanted).order_by()[:most].count()


def journal(scope: Scope, found: Record) -> list[Entry]:
    """The record's entries, oldest first; only the public ones for a reader who sees it as its requester."""
    rows = Entry.objects.filter(record=found).select_related("actor").order_by("sequence")
    if not scope.may(Right.RECORD_VIEW, found.place_path):
        rows = rows.filter(is_public=True)
    return list(rows)


def said(entry: Entry) -> str:
    """The entry's note in the reader's language: the system's own texts are translated and filled."""
    if entry.params is None:
        return entry.note
    words = {name: in_readers_language(kept) for name, kept in entry.params.items()}
    text: str = gettext(entry.note) % words
    return text


def changes_of(entry: Entry) -> dict[str, tuple[Any, Any]]:
    """{field: (before, after)} of the entry, names in the reader's language."""
    return {
        name: (in_readers_language(old), in_readers_language(new))
        for name, (old, new) in entry.changes.items()
    }


def moves(scope: Scope, found: Record) -> list[workflow.Move]:
    """The legal next steps that this reader may take, in the workflow's order."""
    is_own = scope.person is not None and found.requester_id == scope.person
    return [
        step
        for step in flow_of(found).moves_from(found.state)
        if scope.may(step.right, found.place_path) or (is_own and step.requester_may)
    ]


def attachments(scope: Scope, found: Record) -> list[Attachment]:
    rows = Attachment.objects.filter(record=found).order_by("added_at", "pk")
    if not scope.may(Right.RECORD_VIEW, found.place_path):
        rows = rows.filter(is_public=True)
    return list(rows)


def attachment(scope: Scope, attachment_id: int) -> Attachment:
    """Raises Attachment.DoesNotExist, also for one that the reader may not see."""
    found = Attachment.objects.select_related("record").get(pk=attachment_id)
    is_public_own = found.is_public and may_see(scope, found.record)
    if not (is_public_own or scope.may(Right.RECORD_VIEW, found.record.place_path)):
        raise Attachment.DoesNotExist
    return found


def links(scope: Scope, found: Record) -> list[tuple[Link, Record, bool]]:
    """(link, the other record, whether `found` is its source); what the reader may not see is left out."""
    rows = Link.objects.filter(Q(source=found) | Q(target=found), ended_at=None).select_related(
        "source", "target"
    )
    ties = [
        (link, link.target if link.source_id == found.pk else link.source, link.source_id == found.pk)
        for link in rows.order_by("pk")
    ]
    return [tie for tie in ties if may_see(scope, tie[1])]


def is_watching(scope: Scope, found: Record) -> bool:
    return found.watchers.filter(person=scope.person).exists()


def categories(kind: str = "") -> QuerySet[Category]:
    rows = Category.objects.filter(is_active=True)
    return (rows.filter(kind=kind) if kind else rows).order_by("pk")


def frequent_categories(place_path: str, *, since: datetime, most: int = 6) -> list[Category]:
    """What a ward reports most; filled up with what its hospital has reported most lately."""
    rows = Record.objects.filter(kind="incident", opened_at__gte=since)
    hospital = rows.filter(hospital=int(place_path.partition(".")[0]))
    ids: dict[Any, None] = {}
    for group in (rows.filter(place_path=place_path), hospital):
        # The newest are sample enough: counting half a year of a large hospital would take a second.
        newest = group.order_by("-opened_at", "-id").values("pk")[:LATELY]
        found = Record.objects.filter(pk__in=newest, category__kind="incident")
        top = found.values("category").annotate(n=Count("pk")).order_by("-n", "category")[:most]
        ids.update(dict.fromkeys(row["category"] for row in top))
        if len(ids) >= most:
            break
    rest = (
        Category.objects.filter(kind="incident", is_active=True).order_by("pk").values_list("pk", flat=True)
    )
    ids.update(dict.fromkeys(rest[:most]))
    wanted = list(ids)[:most]
    by_id = Category.objects.in_bulk(wanted)
    return [by_id[at] for at in wanted]


def departments_reporting(service_id: int, *, since: datetime, besides: int) -> int:
    """How many places other than `besides` have an open incident on this service since then (rule R5)."""
    rows = Record.objects.filter(service=service_id, kind="incident", is_open=True, opened_at__gte=since)
    found: int = (
        rows.exclude(channel="monitoring")
        .exclude(place=besides)
        .aggregate(n=Count("place", distinct=True))["n"]
    )
    return found
