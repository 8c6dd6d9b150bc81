"""What metrics.toml and thresholds.toml say fits together."""

import pytest

from wardkeeper.aggregation.alarm.catalogue import TEXTS
from wardkeeper.aggregation.metric import catalogue
from wardkeeper.aggregation.metric.services.rules import shipped
from wardkeeper.aggregation.metric.threshold import Level, Rule


def test_every_metric_has_a_title_in_both_languages():
    for metric in catalogue.catalogue().values():
        assert metric.title.isascii()
        assert metric.title
        assert not metric.title_zh.isascii()


def test_every_shipped_rule_is_sound_and_watches_a_known_metric():
    for rule in shipped():
        assert rule["metric"] in catalogue.catalogue()
        levels = tuple(Level(*level) for level in rule["levels"])
        Rule(
            1,
            rule["code"],
            rule["metric"],
            levels,
            is_above=rule.get("is_above", True),
            for_s=rule.get("for_s", 0),
            polls=rule.get("polls", 1),
        )


def test_every_condition_that_a_shipped_rule_raises_has_a_text():
    assert {rule["code"] for rule in shipped()} | {"device.no_data"} <= TEXTS.keys()


def test_a_series_is_a_metric_with_or_without_instance():
    text = "device.reachable\ninterface.in_octets{10101}\nstorage.used_share{/var/lib/postgresql data}"
    assert catalogue.parse_series(text) == [
        ("device.reachable", ""),
        ("interface.in_octets", "10101"),
        ("storage.used_share", "/var/lib/postgresql data"),
    ]


@pytest.mark.parametrize(
    "text", ["", "Upper", "a{", "a{}", "a{b}c", "a\n\nb", "a\na", "a{x}\na{x}", "a" * 81]
)
def test_a_text_that_names_no_columns_is_refused(text):
    with pytest.raises(catalogue.BadSeries):
        catalogue.parse_series(text)


def test_an_unknown_metric_is_a_gauge_named_by_itself():
    found = catalogue.metric("vendor.new_thing")
    assert (found.title, found.title_zh, found.kind) == ("vendor.new_thing", "vendor.new_thing", "gauge")
