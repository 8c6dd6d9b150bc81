"""The worked examples of docs/why/clocks.md are computed, not believed."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from wardkeeper.registry.calendars.builtin import builtin
from wardkeeper.registry.calendars.deadline import Target, deadline

PAGE = Path(__file__).parents[3] / "docs" / "why" / "clocks.md"
ROW = re.compile(
    r"\| (\d{4}-\d\d-\d\d \d\d:\d\d) \| (\d+) (h|d)(, end of day)? \| (\d{4}-\d\d-\d\d \d\d:\d\d) \|"
)
ROWS = ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_the_page_has_examples():
    assert len(ROWS) == 10


@pytest.mark.parametrize(("start", "amount", "unit", "closing", "due"), ROWS)
def test_example_of_the_page(start, amount, unit, closing, due):
    calendar = builtin("service-hours", "Asia/Shanghai")
    assert calendar is not None
    target = (
        Target(minutes=int(amount) * 60)
        if unit == "h"
        else Target(days=int(amount), end_of_day=bool(closing))
    )
    found = deadline(calendar, datetime.fromisoformat(start).replace(tzinfo=calendar.zone), target).due
    assert found is not None
    assert f"{found:%Y-%m-%d %H:%M}" == due
