"""The only writers of the ledger."""

from wardkeeper.ledger.services.dues import Due, set_dues
from wardkeeper.ledger.services.records import (
    NewRecord,
    assign,
    change,
    comment,
    flow_of,
    lock,
    move,
    open_record,
    remark,
    set_due,
    set_priority,
)
from wardkeeper.ledger.services.ties import attach, link, unlink, unwatch, watch

__all__ = [
    "Due",
    "NewRecord",
    "assign",
    "attach",
    "change",
    "comment",
    "flow_of",
    "link",
    "lock",
    "move",
    "open_record",
    "remark",
    "set_due",
    "set_dues",
    "set_priority",
    "unlink",
    "unwatch",
    "watch",
]
