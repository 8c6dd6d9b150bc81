"""The hospital that every installation starts with; its name can be changed, places are added below it."""

from wardkeeper.registry.places import services
from wardkeeper.registry.places.models import Place
from wardkeeper.registry.places.queries import first_hospital


def ensure() -> None:
    hospital = first_hospital()
    if hospital is None:
        hospital = services.ensure_hospital(code="H1", name_zh="本院", name_en="Our hospital")
    if not Place.objects.filter(hospital=hospital, code="IC").exists():
        services.create_place(
            kind="department", code="IC", name_zh="信息中心", name_en="Information centre", parent=hospital
        )
