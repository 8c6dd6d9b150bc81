"""A small hospital for tests: two of them, so that every test can look from the other one."""

from dataclasses import dataclass

from wardkeeper.registry.cmdb import services as cmdb
from wardkeeper.registry.cmdb.models import CI
from wardkeeper.registry.people import services as people
from wardkeeper.registry.people.models import Person, Team
from wardkeeper.registry.people.scope import Scope, scope_of
from wardkeeper.registry.places import services as places
from wardkeeper.registry.places.models import Place

PASSWORD = "Quiet-Harbour-42"


@dataclass(frozen=True)
class Hospital:
    root: Place
    ward: Place
    emergency: Place
    clinic: Place
    desk: Team
    network: Team
    nurse: Person
    engineer: Person
    chief: Person
    switch: CI
    lis: CI

    @property
    def scope(self) -> Scope:
        return scope_of(self.engineer)


def build(code: str = "H1") -> Hospital:
    """A hospital with a ward, an emergency department and clinics, two teams, three people, two CIs."""
    people.ensure_roles()
    cmdb.ensure_types()
    root = places.create_place(kind="hospital", code=code, name_zh=f"{code}医院", name_en=f"Hospital {code}")
    make = places.create_place
    ward = make(kind="ward", code="W03", name_zh="呼吸一病区", name_en="Ward 3", parent=root, area_class="A2")
    emergency = make(
        kind="department", code="ED", name_zh="急诊科", name_en="ED", parent=root, area_class="A0"
    )
    clinic = make(kind="department", code="OPD", name_zh="门诊", name_en="OPD", parent=root, area_class="A3")
    desk = people.create_team(
        code="desk", name_zh="服务台", name_en="Service desk", hospital=root, is_desk=True
    )
    network = people.create_team(code="network", name_zh="网络组", name_en="Network team", hospital=root)
    who = {
        name: people.create_person(
            username=f"{name}.{code}".lower(), name=name, password=PASSWORD, hospital=root, place=place
        )
        for name, place in (("Nurse", ward), ("Engineer", root), ("Chief", root))
    }
    people.grant(who["Nurse"], "reporter", ward)
    people.grant(who["Engineer"], "engineer", root)
    people.grant(who["Chief"], "chief", root)
    people.join_team(network, who["Engineer"])
    people.join_team(network, who["Chief"], is_lead=True)
    switch = cmdb.create_ci(
        type_code="switch", code="SW-W03", name="三病区交换机", name_en="Switch ward 3", place=ward,
        owner_team=network, addresses=[("ip", "127.0.9.3")],
    )  # fmt: skip
    lis = cmdb.create_ci(
        type_code="clinical_system", code="LIS", name="检验系统", name_en="LIS", place=root, tier="T1"
    )
    return Hospital(
        root, ward, emergency, clinic, desk, network, who["Nurse"], who["Engineer"], who["Chief"], switch, lis
    )
