"""Syslog: what network devices, servers and appliances write about themselves."""
