"""The real tree keeps the rules of the house."""

import tomllib
from pathlib import Path

import pytest
from django.apps import apps

from tests.architecture import rules

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


def _report(violations: list[str]) -> None:
    assert not violations, "\n" + "\n".join(violations)


@pytest.mark.parametrize("rule", rules.OF_THE_SOURCE, ids=lambda rule: rule.__name__)
def test_source_keeps_the_rule(rule):
    _report(rule(SOURCE))


@pytest.mark.parametrize("folder", ["tests", "scripts"])
@pytest.mark.parametrize("rule", rules.OF_TESTS_AND_SCRIPTS, ids=lambda rule: rule.__name__)
def test_tests_and_scripts_keep_the_rule(rule, folder):
    _report(rule(ROOT / folder))


def test_every_face_of_presentation_is_held_apart_from_the_others():
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = document["tool"]["importlinter"]["contracts"]
    faces = next(contract for contract in contracts if contract["id"] == "faces")
    _report(rules.unlisted_faces(SOURCE, set(faces["modules"])))


def _own_models():
    return [model for model in apps.get_models() if model.__module__.startswith("wardkeeper.")]


def test_every_foreign_key_points_to_its_own_room_or_a_lower_floor():
    violations = []
    for model in _own_models():
        source = apps.get_app_config(model._meta.app_label).name
        for field in model._meta.get_fields(include_hidden=True):
            if not field.is_relation or field.auto_created or field.related_model is None:
                continue
            target = apps.get_app_config(field.related_model._meta.app_label).name
            if not rules.may_point(source, target):
                violations.append(f"{model._meta.label}.{field.name} points to {target}")
    _report(violations)


def test_every_sql_file_names_its_own_room_or_a_lower_floor():
    tables = {
        model._meta.db_table: apps.get_app_config(model._meta.app_label).name for model in _own_models()
    }
    _report(rules.sql_that_points_up(SOURCE, tables))


def test_no_model_has_a_default_order():
    """A default `ordering` sorts every list and every join, wanted or not (STYLE, Django)."""
    _report([model._meta.label for model in _own_models() if model._meta.ordering])
