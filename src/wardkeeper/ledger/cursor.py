"""Pages by cursor: where the last page ended, not how many rows to skip, so page 1,000 costs what page 1 does."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import F, Q, QuerySet

Item = TypeVar("Item")
LARGEST_PAGE = 500


class BadCursor(ValueError):
    """Not a cursor of ours, or of another list."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """`next` is the cursor of the following page; None at the end."""

    items: list[Item]
    next: str | None


def page_of(
    rows: QuerySet[Any], order: Sequence[tuple[str, bool]], *, cursor: str = "", size: int = 50
) -> Page[dict[str, Any]]:
    """The next `size` rows as dicts of the order's columns.

    order  (column, ascending); the last column must be unique; empty values come last
    Raises BadCursor.
    """
    size = max(1, min(size, LARGEST_PAGE))
    columns = [name for name, _up in order]
    may_be_empty = {name for name in columns if rows.model._meta.get_field(name).null}  # noqa: SLF001 - Django documents _meta as public
    if cursor:
        last = _open(cursor, columns)
        rows = rows.filter(_after(order, last))
        name, up = order[0]
        if name not in may_be_empty:
            # Says nothing new, but an index can begin here; with the alternatives alone it would read all before.
            rows = rows.filter(**{f"{name}__{'gte' if up else 'lte'}": last[0]})
    # "Nulls last" where there are none would only keep a descending index from being used.
    sorting = [
        (F(name).asc if up else F(name).desc)(nulls_last=True if name in may_be_empty else None)
        for name, up in order
    ]
    found = list(rows.order_by(*sorting).values(*columns)[: size + 1])
    following = _seal(columns, found[size - 1]) if len(found) > size else None
    return Page(found[:size], following)


def _after(order: Sequence[tuple[str, bool]], last: Sequence[Any]) -> Q:
    """Rows behind `last` in the order: (a > x) or (a = x and b > y) or ..., with empty values last."""
    condition = Q()
    equal = Q()
    for (name, up), value in zip(order, last, strict=True):
        if value is None:
            equal &= Q(**{f"{name}__isnull": True})
            continue
        behind = Q(**{f"{name}__{'gt' if up else 'lt'}": value}) | Q(**{f"{name}__isnull": True})
        condition |= equal & behind
        equal &= Q(**{name: value})
    return condition


def _seal(columns: Sequence[str], row: dict[str, Any]) -> str:
    values = [row[name].isoformat() if isinstance(row[name], date) else row[name] for name in columns]
    text = json.dumps([list(columns), values], separators=(",", ":"))
    signature = signing.Signer(salt="cursor").signature(text)[:12]
    return base64.urlsafe_b64encode(f"{signature}{text}".encode()).decode().rstrip("=")


def _open(cursor: str, columns: Sequence[str]) -> list[Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        signature, body = text[:12], text[12:]
        known, values = json.loads(body)
    except (ValueError, TypeError) as error:
        raise BadCursor(cursor) from error
    if signing.Signer(salt="cursor").signature(body)[:12] != signature or known != list(columns):
        raise BadCursor(cursor)
    return [
        datetime.fromisoformat(value)
        if isinstance(value, str) and (name == "at" or name.endswith("_at"))
        else value
        for name, value in zip(columns, values, strict=True)
    ]
