"""What only the rooms themselves can do in a running house, as a process of its own beside it.

    python inside.py populate     two hospitals with people; prints their ids and codes as JSON
    python inside.py verify       prints what does not fit in the journal's hash chain, one finding a line

WARDKEEPER_DATA names the house's data directory.
"""

import json
import sys
from typing import Any

from wardkeeper.cli.main import start_django
from wardkeeper.runtime.attach import attached

PASSWORD = "Quiet-Harbour-42"


def populate() -> dict[str, Any]:
    from wardkeeper.registry.people import services as people
    from wardkeeper.registry.people.models import Team
    from wardkeeper.registry.places import services as places
    from wardkeeper.registry.places.models import Place
    from wardkeeper.registry.places.queries import first_hospital

    def staff(hospital: Place, code: str) -> dict[str, Any]:
        ward = places.create_place(
            kind="ward",
            code="W03",
            name_zh="呼吸一病区",
            name_en="Respiratory ward",
            parent=hospital,
            area_class="A2",
        )
        network = Team.objects.filter(hospital=hospital, code="network").first()
        if network is None:
            for team, name_zh, name_en in (("desk", "服务台", "Desk"), ("network", "网络组", "Network team")):
                people.create_team(
                    code=team, name_zh=name_zh, name_en=name_en, hospital=hospital, is_desk=team == "desk"
                )
            network = Team.objects.get(hospital=hospital, code="network")
        for role, name, place in (("reporter", "林芳", ward), ("engineer", "Wei Chen", hospital)):
            person = people.create_person(
                username=f"{role}.{code}",
                name=name,
                password=PASSWORD,
                hospital=hospital,
                place=place,
                phone="8120",
            )
            people.grant(person, role, place)
            if role == "engineer":
                people.join_team(network, person)
        return {"hospital": hospital.pk, "ward": ward.pk, "network": network.pk}

    first = first_hospital()
    assert first is not None
    second = places.create_place(kind="hospital", code="H2", name_zh="东院", name_en="East hospital")
    return {"h1": staff(first, "h1"), "h2": staff(second, "h2")}


def verify() -> None:
    from wardkeeper.ledger.chain import verify as findings

    for finding in findings():
        sys.stdout.write(f"{finding}\n")


if __name__ == "__main__":
    with attached(bus=False):
        start_django()
        if sys.argv[1] == "populate":
            sys.stdout.write(json.dumps(populate()))
        else:
            verify()
