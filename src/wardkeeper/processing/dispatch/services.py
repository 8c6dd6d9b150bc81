"""Finds the team for a record: who owns what failed, else who solves such things, else the desk."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop as _

from wardkeeper.ledger import services as ledger
from wardkeeper.ledger.models import Record
from wardkeeper.ledger.wording import both
from wardkeeper.registry.people.models import Team
from wardkeeper.registry.people.queries import desk_of, teams


@transaction.atomic
def dispatch(record_id: int) -> Record:
    """Gives a record without a team to the right one; a record that has a team stays there."""
    record = ledger.lock(record_id, None, {})
    if record.team_id is not None:
        return record
    team, note, params = choose(record)
    if team is None:
        return record
    return ledger.assign(record.pk, actor=None, team=team, note=note, params=params)


def _serves(team: Team, record: Record) -> bool:
    """Whether the team works for the record's hospital: another hospital must not get to see it."""
    return team.is_active and team.hospital_id in (None, record.hospital_id)


def choose(record: Record) -> tuple[Team | None, str, dict[str, Any]]:
    """(team, why as an English msgid, its parameters). No team only if not even a desk exists."""
    for ci in (record.ci, record.service):
        if ci is not None and ci.owner_team is not None and _serves(ci.owner_team, record):
            return (
                ci.owner_team,
                _("Dispatched to %(team)s, the owner of %(ci)s."),
                {"team": both(ci.owner_team), "ci": {"zh": ci.name, "en": ci.name_en or ci.name}},
            )
    if record.category is not None and record.category.team_code:
        usual = teams([record.hospital_id]).filter(code=record.category.team_code).first()
        if usual is not None:
            return usual, _("Dispatched to %(team)s, who solves such faults."), {"team": both(usual)}
    desk = desk_of(record.hospital_id)
    return desk, _("Nobody owns it, so it stays with the service desk."), {}
