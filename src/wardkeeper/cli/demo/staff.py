"""Who works at hospital M: the information centre's people, and one account for each ward and department."""

from dataclasses import dataclass
from random import Random

from django.contrib.auth.hashers import make_password

from wardkeeper.registry.people import services as people
from wardkeeper.registry.people.models import Person, Team
from wardkeeper.registry.places.models import Place

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = (
    *(
        "芳",
        "娜",
        "敏",
        "静",
        "磊",
        "洋",
        "勇",
        "艳",
        "杰",
        "娟",
        "涛",
        "明",
        "超",
        "霞",
        "平",
        "刚",
        "凯",
        "伟",
        "丽华",
    ),
    *(
        "桂英",
        "建国",
        "文博",
        "子轩",
        "雨桐",
        "志强",
        "晓燕",
        "海涛",
        "俊峰",
        "思远",
        "佳怡",
        "欣然",
        "鹏飞",
        "玉兰",
        "慧敏",
    ),
)
TEAMS = (("desk", 7), ("network", 6), ("servers", 6), ("applications", 9), ("desktop", 9), ("security", 3))
"""team code, how many people; about 40 together"""
DEMO_PEOPLE = (
    ("demo.engineer", "张海涛", "engineer", "network"),
    ("demo.operator", "李晓燕", "operator", "desk"),
    ("demo.nurse", "陈静", "reporter", ""),
    ("demo.director", "王建国", "director", ""),
    ("demo.admin", "赵敏", "administrator", ""),
)
"""user name, name, role, team; they share one password that `up --demo` prints"""
DEMO_WARD = "W18"


@dataclass(frozen=True, slots=True)
class Staff:
    """by_team: those who solve; nurses: who reports, by place id."""

    by_team: dict[str, list[Person]]
    teams: dict[str, Team]
    nurses: dict[int, Person]


def _granted_at(role: str, place: Place, hospital: Place) -> Place | None:
    if role == "administrator":
        return None
    return place if role == "reporter" else hospital


def a_name(rng: Random) -> str:
    return rng.choice(_SURNAMES) + rng.choice(_GIVEN)


def hire(rng: Random, hospital: Place, units: dict[str, Place], *, password: str) -> Staff:
    """Creates everybody. Raises IntegrityError if one of them is there already."""
    teams = {team.code: team for team in Team.objects.filter(hospital=hospital)}
    by_team: dict[str, list[Person]] = {code: [] for code, _ in TEAMS}
    centre = units["IC"]
    nurses: dict[int, Person] = {}
    # One for all of them: each would cost a tenth of a second and 100 MB.
    encoded = make_password(password)
    for username, name, role, team in DEMO_PEOPLE:
        place = units[DEMO_WARD] if role == "reporter" else centre
        person = people.create_person(
            username=username, name=name, hospital=hospital, place=place, phone="8001", is_demo=True
        )
        person.password = encoded
        person.save(update_fields=["password"])
        people.grant(person, role, _granted_at(role, place, hospital))
        if team:
            by_team[team].append(person)
            people.join_team(teams[team], person)
        if role == "reporter":
            nurses[place.pk] = person
    number = 0
    for code, wanted in TEAMS:
        for at in range(wanted - len(by_team[code])):
            number += 1
            person = people.create_person(
                username=f"demo.{code}{at + 1}", name=a_name(rng), hospital=hospital, place=centre,
                phone=f"80{number:02}", staff_no=f"X{number:04}", is_demo=True,
            )  # fmt: skip
            people.grant(
                person, "chief" if at == 0 else "operator" if code == "desk" else "engineer", hospital
            )
            people.join_team(teams[code], person, is_lead=at == 0)
            by_team[code].append(person)
    for code, unit in units.items():
        if unit.kind == "ward" and unit.pk not in nurses:
            person = people.create_person(
                username=f"demo.{code.lower()}", name=a_name(rng), hospital=hospital, place=unit,
                phone=unit.phone, is_demo=True,
            )  # fmt: skip
            people.grant(person, "reporter", unit)
            nurses[unit.pk] = person
    return Staff(by_team, teams, nurses)
