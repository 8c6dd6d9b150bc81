"""The objects we ask for, by the names their MIBs give them. Columns end before the index."""

_SYSTEM = "1.3.6.1.2.1.1"
_IF = "1.3.6.1.2.1.2.2.1"
_IFX = "1.3.6.1.2.1.31.1.1.1"
_STORAGE = "1.3.6.1.2.1.25.2.3.1"
_UPS = "1.3.6.1.2.1.33.1"
_UCD = "1.3.6.1.4.1.2021"

# SNMPv2-MIB (RFC 3418)
SYS_DESCR = f"{_SYSTEM}.1.0"
SYS_OBJECT_ID = f"{_SYSTEM}.2.0"
SYS_UP_TIME = f"{_SYSTEM}.3.0"
SYS_CONTACT = f"{_SYSTEM}.4.0"
SYS_NAME = f"{_SYSTEM}.5.0"
SYS_LOCATION = f"{_SYSTEM}.6.0"

# SNMP-FRAMEWORK-MIB (RFC 3411): seconds, does not wrap for 68 years
SNMP_ENGINE_TIME = "1.3.6.1.6.3.10.2.1.3.0"

# IF-MIB (RFC 2863)
IF_NUMBER = "1.3.6.1.2.1.2.1.0"
IF_TABLE_LAST_CHANGE = "1.3.6.1.2.1.31.1.5.0"
IF_DESCR = f"{_IF}.2"
IF_TYPE = f"{_IF}.3"
IF_SPEED = f"{_IF}.5"
IF_PHYS_ADDRESS = f"{_IF}.6"
IF_ADMIN_STATUS = f"{_IF}.7"
IF_OPER_STATUS = f"{_IF}.8"
IF_IN_OCTETS = f"{_IF}.10"
IF_IN_DISCARDS = f"{_IF}.13"
IF_IN_ERRORS = f"{_IF}.14"
IF_OUT_OCTETS = f"{_IF}.16"
IF_OUT_DISCARDS = f"{_IF}.19"
IF_OUT_ERRORS = f"{_IF}.20"
IF_NAME = f"{_IFX}.1"
IF_HC_IN_OCTETS = f"{_IFX}.6"
IF_HC_OUT_OCTETS = f"{_IFX}.10"
IF_HIGH_SPEED = f"{_IFX}.15"
IF_ALIAS = f"{_IFX}.18"

# HOST-RESOURCES-MIB (RFC 2790)
HR_SYSTEM_UPTIME = "1.3.6.1.2.1.25.1.1.0"
HR_STORAGE_TYPE = f"{_STORAGE}.2"
HR_STORAGE_DESCR = f"{_STORAGE}.3"
HR_STORAGE_UNITS = f"{_STORAGE}.4"
HR_STORAGE_SIZE = f"{_STORAGE}.5"
HR_STORAGE_USED = f"{_STORAGE}.6"
HR_PROCESSOR_LOAD = "1.3.6.1.2.1.25.3.3.1.2"

HR_STORAGE_TYPES = "1.3.6.1.2.1.25.2.1"
STORAGE_KINDS = {
    f"{HR_STORAGE_TYPES}.2": "ram",
    f"{HR_STORAGE_TYPES}.3": "virtual_memory",
    f"{HR_STORAGE_TYPES}.4": "fixed_disk",
    f"{HR_STORAGE_TYPES}.5": "removable_disk",
    f"{HR_STORAGE_TYPES}.6": "floppy_disk",
    f"{HR_STORAGE_TYPES}.7": "compact_disc",
    f"{HR_STORAGE_TYPES}.8": "ram_disk",
    f"{HR_STORAGE_TYPES}.9": "flash_memory",
    f"{HR_STORAGE_TYPES}.10": "network_disk",
}

# UPS-MIB (RFC 1628)
UPS_MANUFACTURER = f"{_UPS}.1.1.0"
UPS_MODEL = f"{_UPS}.1.2.0"
UPS_SECONDS_ON_BATTERY = f"{_UPS}.2.2.0"
UPS_ESTIMATED_MINUTES_REMAINING = f"{_UPS}.2.3.0"
UPS_ESTIMATED_CHARGE_REMAINING = f"{_UPS}.2.4.0"
UPS_OUTPUT_SOURCE = f"{_UPS}.4.1.0"
UPS_ON_BATTERY = 5

# UCD-SNMP-MIB of net-snmp: sizes in kB
UCD_LOAD_1M = f"{_UCD}.10.1.3.1"
UCD_MEM_TOTAL = f"{_UCD}.4.5.0"
UCD_MEM_FREE = f"{_UCD}.4.6.0"
UCD_MEM_BUFFER = f"{_UCD}.4.14.0"
UCD_MEM_CACHED = f"{_UCD}.4.15.0"
UCD_MEM_AVAILABLE = f"{_UCD}.4.27.0"
