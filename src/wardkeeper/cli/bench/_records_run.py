"""Fills the database of a running house for the bench `records`; prints the id of a place to report from."""

import random
import sys
from datetime import timedelta
from typing import Any

from django.utils import timezone

from wardkeeper.cli.main import start_django
from wardkeeper.runtime.attach import attached

_OPEN_SHARE = 0.03
_PLACES = 100
_YEAR = timedelta(days=365)
_DAY = timedelta(days=1)
_THINGS = (
    "打印机",
    "条码打印机",
    "电脑",
    "HIS",
    "检验系统",
    "叫号屏",
    "无线网络",
    "医保接口",
    "扫码枪",
    "血库系统",
)
_TROUBLES = ("卡纸", "断网", "打不开", "很慢", "报错", "不出纸", "登录不了", "数据不一致", "没反应", "蓝屏")
_PLACE_WORDS = ("急诊", "门诊", "心内科", "呼吸科", "检验科", "药房", "手术室", "影像科", "产科", "儿科")
_COLUMNS = (
    "hospital_id", "kind", "number", "workflow_version", "state", "is_open", "title", "description", "place_id",
    "place_path", "requester_name", "requester_phone", "channel", "priority", "priority_why", "priority_input",
    "is_safety", "fields", "proposed_move", "occurred_at", "opened_at", "due_at", "due_clock", "assigned_count",
    "reopened_count", "version", "entry_count", "entry_hash", "terms", "is_demo",
)  # fmt: skip


def main(count: int) -> int:
    """COPY without the index on words, which is built once at the end: loading is not what is measured."""
    from django.db import connection

    from wardkeeper.registry.places.services import create_place, ensure_hospital

    hospital = ensure_hospital(code="H1", name_zh="本院", name_en="Our hospital")
    places = [
        create_place(
            kind="ward",
            code=f"B{n}",
            name_zh=f"{n} 病区",
            name_en=f"Ward {n}",
            parent=hospital,
            area_class="A2",
        )
        for n in range(_PLACES)
    ]
    chance = random.Random(7)  # noqa: S311 - the same records in every run
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS record_terms")
        names = ", ".join(f'"{name}"' for name in _COLUMNS)
        with cursor.copy(f"COPY ledger_record ({names}) FROM STDIN") as copy:
            for number in range(count):
                copy.write_row(_row(number, hospital.pk, chance.choice(places), chance))
        cursor.execute("CREATE INDEX record_terms ON ledger_record USING gin (terms)")
        cursor.execute("VACUUM ANALYZE ledger_record")
    return places[0].pk


def _row(number: int, hospital: int, place: Any, chance: random.Random) -> list[Any]:
    from wardkeeper.registry.search import terms_of

    now = timezone.now()
    is_open = chance.random() < _OPEN_SHARE
    title = f"{chance.choice(_PLACE_WORDS)}{chance.choice(_THINGS)}{chance.choice(_TROUBLES)}"
    opened_at = now - _YEAR * chance.random()
    due_at = now + _DAY * (chance.random() - 0.2) if is_open else None
    code = f"{opened_at:%Y%m%d}-BEN-{number:07}"
    return [
        hospital, "incident", code, 1, "assigned" if is_open else "closed", is_open, title, "", place.pk, place.path,
        "", "", "portal", chance.choice((2, 3, 3, 4, 4, 4, 5)), "I3 x U3", "{}", False, "{}", "", opened_at, opened_at,
        due_at, "resolve" if is_open else "", 0, 0, 1, 0, "", terms_of(code, title), False,
    ]  # fmt: skip


if __name__ == "__main__":
    with attached(bus=False):
        start_django()
        print(main(int(sys.argv[1])))
