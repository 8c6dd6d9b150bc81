"""Which charts a CI's page shows, from the series it has."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from wardkeeper.aggregation.metric import queries as metric

THOUSAND = 1000
MOST_PORTS = 3


@dataclass(frozen=True, slots=True)
class Chart:
    """`metrics` share one axis with this unit; `instance` None: every instance is a line."""

    title: str
    unit: str
    metrics: str
    instance: str | None = None
    is_filled: bool = False


def charts_of(ci: int, port: int | None = None) -> list[Chart]:
    """In the order in which an engineer asks: is it there, how busy, how full, how fast."""
    known = {row.metric for row in metric.series_of(ci)}
    wanted = (
        (_("Processor and memory"), "share", ("host.cpu_share", "host.memory_share"), False),
        (
            _("Response time"),
            "ms",
            ("icmp.rtt_ms", "snmp.response_ms", "tcp.connect_ms", "http.time_ms"),
            False,
        ),
        (_("Packets lost"), "share", ("icmp.loss_share",), True),
        (_("Storage used"), "share", ("storage.used_share",), False),
        (_("Battery"), "percent", ("ups.charge_percent",), True),
        (_("Minutes on battery left"), "min", ("ups.minutes_left",), True),
        (_("Days until the certificate expires"), "d", ("tls.days_left",), True),
        (_("Reachable"), "", ("device.reachable",), True),
    )
    charts = [
        Chart(title, unit, ",".join(name for name in names if name in known), None, fill)
        for title, unit, names, fill in wanted
        if known & set(names)
    ]
    if "interface.in_bps" in known:
        charts[:0] = [_traffic(instance) for instance in _ports(ci, port)]
    return charts


def _traffic(instance: str) -> Chart:
    return Chart(
        _("Traffic, port %(port)s") % {"port": instance},
        "bit/s",
        "interface.in_bps,interface.out_bps",
        instance,
    )


def _ports(ci: int, port: int | None) -> list[str]:
    """The port asked for, else the busiest."""
    if port is not None:
        return [str(port)]
    newest = metric.latest(ci)
    busy: dict[str, float] = {}
    for row in metric.series_of(ci):
        if row.metric in ("interface.in_bps", "interface.out_bps"):
            value = newest.get(row.id, (0, 0.0))[1]
            busy[row.instance] = busy.get(row.instance, 0.0) + (value if value == value else 0.0)  # noqa: PLR0124 - NaN is not itself
    return sorted(busy, key=lambda instance: -busy[instance])[:MOST_PORTS]


def shown_value(value: float | None, unit: str) -> str:
    """A figure as people read it: 1.2 Mbit/s, 85 %, 12 ms."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{value:.0%}".replace("%", " %")
    if unit == "bit/s":
        for prefix in ("", "k", "M", "G"):
            if abs(value) < THOUSAND:
                return f"{value:.3g} {prefix}bit/s"
            value /= THOUSAND
        return f"{value:.3g} Tbit/s"
    return f"{value:.4g} {unit}".strip()
