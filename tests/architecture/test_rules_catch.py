"""Each rule catches what it is for: a violation is planted in an empty tree, and the rule names it."""

from pathlib import Path

import pytest

from tests.architecture import rules

MARK = "TO" + "DO"  # written apart, so that this file does not hold an unfinished mark itself
PLANTED = [
    (rules.long_files, "wardkeeper/room/tall.py", "x = 1\n" * 401),
    (rules.long_files, "wardkeeper/room/templates/tall.html", "<p></p>\n" * 401),
    (rules.long_functions, "wardkeeper/room/slow.py", "def slow():\n" + "    x = 1\n" * 60),
    (
        rules.long_functions,
        "wardkeeper/room/slow.py",
        "class A:\n    async def slow(self):\n" + "        x = 1\n" * 60,
    ),
    (rules.many_positional_parameters, "wardkeeper/room/wide.py", "def wide(a, b, c, d, e, f): ...\n"),
    (rules.vague_names, "wardkeeper/room/utils.py", ""),
    (rules.vague_names, "wardkeeper/helpers/__init__.py", ""),
    (rules.prints, "wardkeeper/room/loud.py", "def f():\n    print('here')\n"),
    (rules.unfinished_marks, "wardkeeper/room/half.py", f"# {MARK}: the rest\n"),
    (rules.unfinished_marks, "wardkeeper/room/half.py", "raise NotImplemented" + "Error\n"),
    (rules.unfinished_marks, "wardkeeper/room/templates/half.html", f"{{# {MARK} #}}\n"),
    (rules.signals, "wardkeeper/room/handlers.py", "from django.db.models.signals import post_save\n"),
    (rules.signals, "wardkeeper/room/handlers.py", "from django.db.models import signals\n"),
    (rules.signals, "wardkeeper/room/handlers.py", "from django.dispatch import receiver\n"),
    (rules.save_overrides, "wardkeeper/room/models.py", "class A(models.Model):\n    def save(self): ...\n"),
    (
        rules.save_overrides,
        "wardkeeper/room/models.py",
        "class A(models.Model):\n    def delete(self): ...\n",
    ),
    (rules.swallowed_errors, "wardkeeper/room/quiet.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
    (rules.swallowed_errors, "wardkeeper/room/quiet.py", "try:\n    f()\nexcept:\n    pass\n"),
    (rules.wrong_doors, "wardkeeper/room/poll.py", "from gufo.snmp import SnmpSession\n"),
    (rules.wrong_doors, "wardkeeper/acquisition/adapters/snmp_poll/adapter.py", "import gufo.ping\n"),
]
KEPT = [
    (rules.long_files, "wardkeeper/room/right.py", "x = 1\n" * 400),
    (rules.long_files, "wardkeeper/room/vendor/tall.js", "x = 1\n" * 4000),
    (rules.long_files, "wardkeeper/room/migrations/0001_initial.py", "x = 1\n" * 4000),
    (rules.long_functions, "wardkeeper/room/right.py", "def right():\n" + "    x = 1\n" * 59),
    (
        rules.many_positional_parameters,
        "wardkeeper/room/right.py",
        "def f(self, a, b, c, d, e, *, g, h): ...\n",
    ),
    (rules.prints, "wardkeeper/cli/say.py", "print('here')\n"),
    (rules.save_overrides, "wardkeeper/room/forms.py", "class Draft:\n    def save(self): ...\n"),
    (rules.swallowed_errors, "wardkeeper/bus/worker.py", "try:\n    f()\nexcept Exception:\n    log()\n"),
    (
        rules.swallowed_errors,
        "wardkeeper/room/right.py",
        "try:\n    f()\nexcept Exception:\n    g()\n    raise\n",
    ),
    (rules.wrong_doors, "wardkeeper/acquisition/adapters/icmp/adapter.py", "from gufo.ping import Ping\n"),
]


def _plant(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("rule", "name", "text"), PLANTED)
def test_planted_violation_is_caught(tmp_path, rule, name, text):
    assert rule(tmp_path) == []
    _plant(tmp_path, name, text)
    assert rule(tmp_path), f"{rule.__name__} does not see it"


@pytest.mark.parametrize(("rule", "name", "text"), KEPT)
def test_what_is_allowed_is_let_be(tmp_path, rule, name, text):
    _plant(tmp_path, name, text)
    assert rule(tmp_path) == []


def test_every_rule_has_a_planted_violation():
    assert set(rules.OF_THE_SOURCE) == {rule for rule, _name, _text in PLANTED}


def test_sql_that_names_a_table_above_is_caught(tmp_path):
    tables = {"incident_incident": "wardkeeper.processing.incident", "ledger_record": "wardkeeper.ledger"}
    _plant(
        tmp_path,
        "wardkeeper/processing/incident/sql/open.sql",
        "SELECT 1 FROM incident_incident, ledger_record",
    )
    assert rules.sql_that_points_up(tmp_path, tables) == []
    _plant(tmp_path, "wardkeeper/ledger/sql/list.sql", "SELECT 1 FROM incident_incident")
    _plant(
        tmp_path, "wardkeeper/processing/sla/sql/list.sql", "SELECT 1 FROM incident_incident -- ledger_record"
    )
    assert len(rules.sql_that_points_up(tmp_path, tables)) == 2


@pytest.mark.parametrize(
    ("source", "target", "allowed"),
    [
        ("wardkeeper.ledger", "wardkeeper.ledger", True),
        ("wardkeeper.ledger", "wardkeeper.registry.cmdb", True),
        ("wardkeeper.processing.sla", "wardkeeper.ledger", True),
        ("wardkeeper.registry.cmdb", "wardkeeper.registry.places", True),
        ("wardkeeper.registry.places", "wardkeeper.registry.cmdb", False),
        ("wardkeeper.ledger", "wardkeeper.processing.incident", False),
        ("wardkeeper.processing.sla", "wardkeeper.processing.incident", False),
        ("wardkeeper.aggregation.alarm", "wardkeeper.processing.incident", False),
        ("wardkeeper.ledger", "django.contrib.contenttypes", False),
    ],
)
def test_a_foreign_key_may_point_down_only(source, target, allowed):
    assert rules.may_point(source, target) is allowed


def test_face_that_no_contract_names_is_caught(tmp_path):
    _plant(tmp_path, "wardkeeper/presentation/web/__init__.py", "")
    _plant(tmp_path, "wardkeeper/presentation/board/__init__.py", "")
    assert len(rules.unlisted_faces(tmp_path, {"wardkeeper.presentation.web"})) == 1
