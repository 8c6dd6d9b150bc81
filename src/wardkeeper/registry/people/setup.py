"""Roles, and the teams that categories and shipped CIs name; a hospital renames or adds to them."""

from wardkeeper.registry.people import services
from wardkeeper.registry.people.models import Team
from wardkeeper.registry.places.queries import first_hospital

TEAMS = (
    ("desk", "服务台", "Service desk"),
    ("network", "网络组", "Network team"),
    ("servers", "系统组", "Server team"),
    ("applications", "应用组", "Application team"),
    ("desktop", "终端组", "Desktop team"),
    ("security", "安全组", "Security team"),
)


def ensure() -> None:
    services.ensure_roles()
    hospital = first_hospital()
    if not Team.objects.filter(hospital=hospital).exists():
        for code, name_zh, name_en in TEAMS:
            services.create_team(
                code=code, name_zh=name_zh, name_en=name_en, hospital=hospital, is_desk=code == "desk"
            )
