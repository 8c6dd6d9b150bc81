"""Near times are relative, far ones absolute, deadlines count down and then up."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from wardkeeper.presentation.web import times

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_shanghai():
    with timezone.override("Asia/Shanghai"):
        yield


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (5, "just now", "刚刚"),
        (12 * 60 + 59, "12 min ago", "12 分钟前"),
        (5 * 3600, "5 h ago", "5 小时前"),
        (3 * 86_400, "19 Nov 18:00", "11-19 18:00"),
        (400 * 86_400, "18 Oct 2025 18:00", "2025-10-18 18:00"),
        (-3600, "19:00", "19:00"),
    ],
)
def test_past_times_are_relative_within_a_day(seconds, english, chinese):
    at = NOW - timedelta(seconds=seconds)
    with translation.override("en"):
        assert times.ago(at, NOW) == english
    with translation.override("zh-hans"):
        assert times.ago(at, NOW) == chinese


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (14 * 60, "14 min left", "还剩 14 分"),
        (3 * 3600 + 12 * 60, "3 h 12 min left", "还剩 3 小时 12 分"),
        (2 * 86_400 + 3 * 3600, "2 d 3 h left", "还剩 2 天 3 小时"),
        (0, "0 min over", "超时 0 分"),
        (-190, "3 min over", "超时 3 分"),
    ],
)
def test_a_deadline_counts_down_and_from_its_own_second_on_up(seconds, english, chinese):
    due = NOW + timedelta(seconds=seconds)
    with translation.override("en"):
        assert times.left(due, NOW) == english
    with translation.override("zh-hans"):
        assert times.left(due, NOW) == chinese
