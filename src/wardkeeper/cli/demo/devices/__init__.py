"""Simulated devices that really answer."""
