"""Record numbers: `YYYYMMDD-KIND-NNNN`, counted per hospital, kind and day of the hospital's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from wardkeeper.registry.places.models import Place


def next_number(hospital: Place, code: str, at: datetime) -> str:
    """The next free number; the counter's row stays locked to the end of the transaction.

    A transaction that rolls back gives its number back, so there are no gaps to explain
    to an auditor. After 9,999 the number grows a digit.
    """
    on = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_numbercounter (hospital_id, code, "on", last) VALUES (%s, %s, %s, 1)
            ON CONFLICT (hospital_id, code, "on") DO UPDATE SET last = ledger_numbercounter.last + 1
            RETURNING last
            """,
            [hospital.pk, code, on],
        )
        last = cursor.fetchone()[0]
    return f"{on:%Y%m%d}-{code}-{last:04}"
