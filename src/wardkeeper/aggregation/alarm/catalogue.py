"""What each condition is called. A condition that is not listed is shown by its code."""

from django.utils.translation import gettext_noop as _

TEXTS: dict[str, str] = {
    "device.reachable": _("%(ci)s does not answer"),
    "device.no_data": _("No data from %(ci)s"),
    "device.restarted": _("%(ci)s has restarted"),
    "interface.down": _("Port %(name)s of %(ci)s is down"),
    "icmp.loss_share": _("%(ci)s loses packets"),
    "tcp.open": _("The port of %(ci)s does not answer"),
    "http.up": _("The page of %(ci)s does not work"),
    "http.time_ms": _("The page of %(ci)s is slow"),
    "tls.days_left": _("The certificate of %(ci)s expires soon"),
    "tls.trusted": _("The certificate of %(ci)s is not trusted"),
    "storage.used_share": _("Storage %(name)s of %(ci)s is almost full"),
    "host.cpu_share": _("The processor of %(ci)s is overloaded"),
    "host.memory_share": _("%(ci)s is short of memory"),
    "ups.on_battery": _("%(ci)s runs on battery"),
    "ups.minutes_left": _("The battery of %(ci)s is almost empty"),
    "ups.charge_percent": _("The battery of %(ci)s is low"),
    "ups.alarm": _("%(ci)s reports an alarm of its power supply"),
    "snmp.authentication": _("%(ci)s refused a wrong SNMP password"),
    "trap.received": _("%(ci)s reports %(kind)s"),
    "syslog.severe": _("%(ci)s reports a fault: %(message)s"),
}


def text_of(condition: str) -> str:
    """The English msgid of a condition; `%(ci)s` and its other parameters fill it."""
    return TEXTS.get(condition, "%(ci)s: " + condition.replace("%", "%%"))


def filled(parameters: dict[str, object], ci_name: str) -> dict[str, object]:
    """Parameters for any text of the catalogue: what a source left out is shown as a dash."""
    return {"ci": ci_name, "name": "–", "kind": "–", "message": "–", **parameters}
