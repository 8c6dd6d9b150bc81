"""The devices of the demo: what they are, where they answer, and how each can be broken."""

import os
from dataclasses import dataclass

_SHIFT = int(os.environ.get("WARDKEEPER_INTERNAL_DEMO_SHIFT", "0"))
"""Added to each port, so that tests can run beside a demo: both have the same addresses."""
SNMP_PORT = 10161 + _SHIFT
HTTP_PORT, HTTPS_PORT = 10080 + _SHIFT, 10443 + _SHIFT
COMMUNITY = b"public"
SILENT, PORT_DOWN, ON_BATTERY, DISK_FULL = "silent", "port_down", "on_battery", "disk_full"
SLOW, ERROR, CERTIFICATE = "slow", "error", "certificate"
BROKEN_PORT = 12
"""The port that "port down" takes down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """model  switch, ups, host, printer, web; decides what it shows and how it can break
    unit      code of the place where it stands
    carries   codes of systems that run on it; used_by: codes of units it serves
    """

    key: str
    model: str
    number: int
    code: str
    name_zh: str
    name_en: str
    type_code: str
    unit: str
    team: str
    tier: str = "T2"
    ports: int = 0
    tls: bool = False
    carries: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """127/8 is the machine's own on Linux, without any set-up."""
        return f"127.0.10.{self.number}"

    @property
    def url(self) -> str:
        """Empty for what speaks SNMP."""
        if self.model != "web":
            return ""
        return f"https://{self.address}:{HTTPS_PORT}/" if self.tls else f"http://{self.address}:{HTTP_PORT}/"

    @property
    def faults(self) -> tuple[str, ...]:
        own = {"switch": (PORT_DOWN,), "ups": (ON_BATTERY,), "host": (DISK_FULL,), "web": (SLOW, ERROR)}
        return (SILENT, *own.get(self.model, ()), *((CERTIFICATE,) if self.tls else ()))


FLEET = (
    Simulated(key="core", model="switch", number=1, code="SW-CORE-01", name_zh="核心交换机 1", name_en="Core switch 1",
              type_code="core_switch", unit="IC", team="network", tier="T1", ports=48, carries=("NET-CORE",)),
    Simulated(key="access-ed", model="switch", number=2, code="SW-ED-01", name_zh="急诊接入交换机",
              name_en="Access switch, emergency", type_code="switch", unit="ED", team="network", ports=24,
              used_by=("ED", "EDR", "EICU")),
    Simulated(key="access-opd", model="switch", number=3, code="SW-OPD-02", name_zh="门诊二层接入交换机",
              name_en="Access switch, outpatient floor 2", type_code="switch", unit="OPMED", team="network", ports=48,
              used_by=("OPMED", "OPSUR")),
    Simulated(key="access-ward", model="switch", number=4, code="SW-W18-01", name_zh="普外一病区接入交换机",
              name_en="Access switch, surgical ward", type_code="switch", unit="W18", team="network", ports=24,
              used_by=("W18",)),
    Simulated(key="ups", model="ups", number=5, code="UPS-01", name_zh="机房 UPS 1", name_en="Machine room UPS 1",
              type_code="ups", unit="IC", team="servers", tier="T1", carries=("UPS",)),
    Simulated(key="his-db", model="host", number=6, code="SRV-DB-01", name_zh="HIS 数据库服务器 1",
              name_en="HIS database server 1", type_code="server", unit="IC", team="servers", tier="T1",
              carries=("DB-ORA",)),
    Simulated(key="lis-app", model="host", number=7, code="SRV-LIS-01", name_zh="LIS 应用服务器",
              name_en="LIS application server", type_code="server", unit="IC", team="servers", tier="T1",
              carries=("LIS",)),
    Simulated(key="printer", model="printer", number=8, code="PRN-NET-01", name_zh="门诊药房网络打印机",
              name_en="Outpatient pharmacy printer", type_code="printer", unit="OPH", team="desktop", tier="T3",
              used_by=("OPH",)),
    Simulated(key="lis-web", model="web", number=9, code="WEB-LIS", name_zh="LIS 检验结果页面",
              name_en="LIS result pages",
              type_code="website", unit="LAB", team="applications", tier="T1", carries=("LIS",), used_by=("LAB",)),
    Simulated(key="his-web", model="web", number=10, code="WEB-HIS", name_zh="HIS 门诊医生站页面",
              name_en="HIS outpatient pages", type_code="website", unit="IC", team="applications", tier="T1",
              carries=("HIS-OP",)),
    Simulated(key="booking", model="web", number=11, code="WEB-NETH", name_zh="互联网医院门户",
              name_en="Internet hospital",
              type_code="website", unit="IC", team="applications", tls=True, carries=("NETH",)),
    Simulated(key="esb-web", model="web", number=12, code="WEB-ESB", name_zh="集成平台监控接口",
              name_en="Integration platform status", type_code="website", unit="IC", team="applications", tier="T1",
              carries=("ESB",)),
)  # fmt: skip
