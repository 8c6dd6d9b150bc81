"""SNMP traps and informs: what network devices, UPSs and medical equipment call out."""
