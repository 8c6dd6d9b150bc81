"""What is drawn for a year looks like the year that the hospital domain describes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from zoneinfo import ZoneInfo

import pytest

from wardkeeper.cli.demo import year
from wardkeeper.cli.demo.course import whole
from wardkeeper.cli.demo.sheets import rows

UNTIL = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
COUNT = 20_000


@pytest.fixture(scope="module")
def cases():
    return year.draw(Random(1), until=UNTIL, timezone="Asia/Shanghai", count=COUNT)


def chi_square(found, shares):
    whole_share = sum(shares.values())
    return sum(
        (found[key] - COUNT * share / whole_share) ** 2 / (COUNT * share / whole_share)
        for key, share in shares.items()
    )


def test_categories_have_the_stated_shares(cases):
    shares = {row["category"]: float(row["share_percent"]) for row in rows("mix")}
    # 23 degrees of freedom: 49.7 is exceeded once in a thousand draws.
    assert chi_square(Counter(case.category for case in cases), shares) < 49.7


def test_hours_and_weekdays_follow_the_profiles_on_the_hospitals_clock(cases):
    local = [case.opened_at.astimezone(ZoneInfo("Asia/Shanghai")) for case in cases]
    hours = {int(row["hour"]): float(row["share_percent"]) for row in rows("hours")}
    weekdays = {int(row["weekday"]): float(row["share_percent"]) for row in rows("weekdays")}
    assert chi_square(Counter(at.hour for at in local), hours) < 49.7
    assert chi_square(Counter(at.weekday() for at in local), weekdays) < 22.5  # 6 degrees of freedom


def test_channels_have_the_stated_shares(cases):
    found = Counter(case.channel for case in cases if case.category != "MON")
    assert found["phone"] / COUNT == pytest.approx(0.65, abs=0.015)
    assert found["portal"] / COUNT == pytest.approx(0.22, abs=0.012)


@pytest.mark.parametrize(
    ("holds", "share"),
    [
        (lambda case: case.is_first_call, 0.40),
        (lambda case: case.is_reassigned, 0.18),
        (lambda case: bool(case.pending), 0.12),
        (lambda case: case.pending == "vendor", 0.08),
        (lambda case: case.is_reopened, 0.03),
        (lambda case: case.is_on_site, 0.45),
    ],
    ids=["first call", "reassigned", "pending", "vendor", "reopened", "on site"],
)
def test_courses_have_the_stated_shares(cases, holds, share):
    assert sum(map(holds, cases)) / COUNT == pytest.approx(share, abs=0.013)


def test_handling_times_scatter_around_each_categorys_median(cases):
    medians = {row["category"]: float(row["handling_min"]) for row in rows("mix")}
    for category in ("HW-PRN", "AP-HIS", "NW-ACC"):
        found = median(case.handling_min for case in cases if case.category == category)
        assert found == pytest.approx(medians[category], rel=0.09)


def test_cases_lie_in_the_year_before_now_in_order(cases):
    times = [case.opened_at for case in cases]
    assert times == sorted(times)
    assert UNTIL - timedelta(days=365) <= times[0]
    assert times[-1] <= UNTIL


def test_the_same_seed_draws_the_same_year():
    once, again = (year.draw(Random(7), until=UNTIL, timezone="Asia/Shanghai", count=300) for _ in range(2))
    assert once == again


def test_steps_of_a_course_are_in_order_and_end_with_the_confirmation(cases):
    rng = Random(3)
    for case in cases[:2000]:
        steps = whole(rng, case, priority=3, solution="x", cause="hardware")
        minutes = [step.minutes for step in steps]
        assert minutes == sorted(minutes)
        assert steps[-1].name == "confirm"


def test_every_category_of_the_mix_has_titles_and_phrases():
    titles = Counter(row["category"] for row in rows("titles"))
    groups = {row["group"] for row in rows("phrases")}
    for row in rows("mix"):
        assert titles[row["category"]] >= 5
        assert row["category"].partition("-")[0] in groups
