"""The rights, and the roles that every installation starts with."""

from enum import StrEnum

from django.utils.translation import gettext_noop as _


class Right(StrEnum):
    REPORT = "portal.report"
    RECORD_VIEW = "record.view"
    RECORD_WORK = "record.work"
    RECORD_ASSIGN = "record.assign"
    RECORD_PRIORITY = "record.priority"
    DESK = "desk.work"
    ALARM_VIEW = "alarm.view"
    ALARM_ACKNOWLEDGE = "alarm.acknowledge"
    CMDB_VIEW = "cmdb.view"
    CMDB_EDIT = "cmdb.edit"
    DEVICE_ADD = "device.add"
    AUDIT = "audit.read"
    PEOPLE_ADMIN = "people.admin"
    SYSTEM_ADMIN = "system.admin"


TITLES: dict[Right, str] = {
    Right.REPORT: _("Report faults"),
    Right.RECORD_VIEW: _("See records"),
    Right.RECORD_WORK: _("Work on records"),
    Right.RECORD_ASSIGN: _("Assign records"),
    Right.RECORD_PRIORITY: _("Change the priority"),
    Right.DESK: _("Work at the service desk"),
    Right.ALARM_VIEW: _("See alarms"),
    Right.ALARM_ACKNOWLEDGE: _("Acknowledge alarms"),
    Right.CMDB_VIEW: _("See configuration items"),
    Right.CMDB_EDIT: _("Change configuration items"),
    Right.DEVICE_ADD: _("Add devices"),
    Right.AUDIT: _("Read the audit trail"),
    Right.PEOPLE_ADMIN: _("Manage people and rights"),
    Right.SYSTEM_ADMIN: _("Manage the system"),
}

_VIEW = (Right.REPORT, Right.RECORD_VIEW, Right.ALARM_VIEW, Right.CMDB_VIEW)
_WORK = (*_VIEW, Right.RECORD_WORK, Right.RECORD_ASSIGN, Right.ALARM_ACKNOWLEDGE)

ROLES: dict[str, tuple[str, str, tuple[Right, ...]]] = {
    "reporter": ("报修人", "Reporter", (Right.REPORT,)),
    "operator": ("服务台坐席", "Service desk operator", (*_WORK, Right.DESK, Right.RECORD_PRIORITY)),
    "engineer": ("运维工程师", "Engineer", (*_WORK, Right.CMDB_EDIT, Right.DEVICE_ADD)),
    "chief": (
        "科长/组长",
        "Section chief",
        (*_WORK, Right.DESK, Right.RECORD_PRIORITY, Right.CMDB_EDIT, Right.DEVICE_ADD),
    ),
    "director": ("信息中心主任", "Director of information centre", (*_VIEW, Right.RECORD_PRIORITY)),
    "auditor": ("审计管理员", "Audit administrator", (*_VIEW, Right.AUDIT)),
    "security": ("安全管理员", "Security administrator", (Right.REPORT, Right.PEOPLE_ADMIN)),
    "administrator": ("系统管理员", "System administrator", tuple(Right)),
}
"""code: (Chinese name, English name, rights)"""
