"""The only writers of clocks."""

from wardkeeper.processing.sla.services.clocks import (
    follow,
    rebuild,
    rebuild_open,
    recompute_later,
    retarget_open,
    save_policy,
)
from wardkeeper.processing.sla.services.warn import warn_due

__all__ = [
    "follow",
    "rebuild",
    "rebuild_open",
    "recompute_later",
    "retarget_open",
    "save_policy",
    "warn_due",
]
