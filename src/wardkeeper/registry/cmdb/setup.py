"""The CI types that every installation starts with."""

from wardkeeper.registry.cmdb.services import ensure_types


def ensure() -> None:
    ensure_types()
