"""Puts many rows into a table at once: COPY instead of INSERT."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.db import connection, models
from psycopg import sql
from psycopg.types.json import Jsonb


def copy(model: type[models.Model], made: Sequence[object], *, with_id: bool) -> None:
    """Inserts the objects, which have the model's columns as attributes;
    `with_id` False lets the database number them. Triggers and constraints hold as ever."""
    fields = [field for field in model._meta.concrete_fields if with_id or not field.primary_key]  # noqa: SLF001 - Django's documented Model._meta
    values = attrgetter(*(field.attname for field in fields))
    json_at = [at for at, field in enumerate(fields) if isinstance(field, models.JSONField)]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),  # noqa: SLF001 - the same
        sql.SQL(", ").join(sql.Identifier(field.column) for field in fields),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        for each in made:
            row: list[Any] = list(values(each))
            for at in json_at:
                if row[at] is not None:
                    row[at] = Jsonb(row[at])
            stream.write_row(row)


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """The next `count` numbers of the table's sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],  # noqa: SLF001 - the same
        )
        return [int(row[0]) for row in cursor.fetchall()]
