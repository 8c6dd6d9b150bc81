"""Wardkeeper runs the IT service of a hospital. The map of the house is in README.md."""

__version__ = "0.1.0"
