"""Alarms: de-duplicated, counted, cleared, acknowledged."""
