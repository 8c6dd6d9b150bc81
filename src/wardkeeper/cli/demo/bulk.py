"""Puts many rows into a table at once: COPY instead of INSERT. What is sent is made apart from sending it."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connection, models
from psycopg import sql

_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
"""PostgreSQL, COPY, text format."""


def as_text(model: type[models.Model], made: Sequence[object], *, with_id: bool) -> bytes:
    """The objects, which have the model's columns as attributes, as lines for `copy_text`."""
    fields = _fields(model, with_id=with_id)
    values = attrgetter(*(field.attname for field in fields))
    cells = [_cell_of(field) for field in fields]
    lines = [
        "\t".join(
            ["\\N" if value is None else cell(value) for cell, value in zip(cells, values(each), strict=True)]
        )
        for each in made
    ]
    return ("\n".join(lines) + "\n").encode() if lines else b""


def copy_text(model: type[models.Model], text: bytes, *, with_id: bool) -> None:
    """Inserts the lines; without ids the database numbers them. Triggers and constraints hold as ever."""
    columns = [sql.Identifier(str(field.column)) for field in _fields(model, with_id=with_id)]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),  # noqa: SLF001 - Django documents Model._meta
        sql.SQL(", ").join(columns),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        stream.write(text)


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """The next `count` numbers of the table's sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],  # noqa: SLF001 - the same
        )
        return [int(row[0]) for row in cursor.fetchall()]


def _fields(model: type[models.Model], *, with_id: bool) -> list[Any]:
    return [field for field in model._meta.concrete_fields if with_id or not field.primary_key]  # noqa: SLF001 - the same


def _cell_of(field: Any) -> Callable[[Any], str]:
    if isinstance(field, models.JSONField):
        return _json
    kind = field.get_internal_type()
    if kind == "ArrayField":
        return _array
    if kind in ("CharField", "TextField"):
        return _words
    return datetime.isoformat if kind == "DateTimeField" else str


def _words(value: str) -> str:
    return value.translate(_ESCAPED)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPED)


def _array(value: Sequence[str]) -> str:
    quoted = ",".join(['"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in value])
    return f"{{{quoted}}}".translate(_ESCAPED)
