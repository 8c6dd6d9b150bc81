"""Configuration items: the list, and one with its state, charts, alarms and records."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from wardkeeper.aggregation.alarm import queries as alarms
from wardkeeper.aggregation.discovery import queries as discovery
from wardkeeper.aggregation.metric import queries as metric
from wardkeeper.ledger import queries as records
from wardkeeper.ledger.cursor import BadCursor, page_of
from wardkeeper.presentation.reader import demand, scope
from wardkeeper.presentation.web.charts import charts_of, shown_value
from wardkeeper.presentation.web.views.records import number_from, text_from, with_clocks
from wardkeeper.registry.cmdb import queries
from wardkeeper.registry.people.rights import Right
from wardkeeper.registry.places import queries as places

if TYPE_CHECKING:
    from wardkeeper.registry.cmdb.models import CI

PERIODS = {"1": (1, None), "6": (6, None), "24": (24, 300), "168": (168, 3600), "720": (720, 3600)}
"""hours shown: (hours, width of a bucket in seconds; None for samples as they came)"""
ORDER = (("name", True), ("id", True))
TIERS = ("T1", "T2", "T3", "T4")


def state_of(severity: str | None, *, is_watched: bool) -> str:
    """up, degraded, down or unknown, from the worst active alarm."""
    if severity == "critical":
        return "down"
    if severity is not None:
        return "degraded"
    return "up" if is_watched else "unknown"


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    rights = demand(request, Right.CMDB_VIEW)
    text, kind, tier = text_from(request, "q"), text_from(request, "type", 40), text_from(request, "tier", 2)
    rows = queries.search(rights, text)
    if kind:
        rows = rows.filter(type__code=kind)
    if tier in TIERS:
        rows = rows.filter(tier=tier)
    try:
        keys = page_of(rows, ORDER, cursor=text_from(request, "cursor", 600))
    except BadCursor:
        keys = page_of(rows, ORDER)
    by_id = queries.by_ids(key["id"] for key in keys.items)
    found = [by_id[key["id"]] for key in keys.items]
    worst = alarms.worst_by_ci([ci.pk for ci in found])
    watched = discovery.watched(ci.pk for ci in found)
    words = {
        "rows": [
            {"ci": ci, "state": state_of(worst.get(ci.pk), is_watched=ci.pk in watched)} for ci in found
        ],
        "next": keys.next,
        "q": text,
        "filters": [
            {
                "name": "type",
                "title": _("Type"),
                "options": [(row.code, row.name) for row in queries.types()],
                "value": kind,
            },
            {"name": "tier", "title": _("Tier"), "options": [(at, at) for at in TIERS], "value": tier},
        ],
        "is_filtered": bool(text or kind or tier),
        "may_add": rights.may(Right.DEVICE_ADD),
    }
    return render(request, "web/cis/list.html", words)


def _seen(request: HttpRequest, ci_id: int) -> CI:
    try:
        return queries.ci(scope(request), ci_id)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


@require_GET
def ci(request: HttpRequest, ci_id: int) -> HttpResponse:
    found = _seen(request, ci_id)
    rights = scope(request)
    worst = alarms.worst_by_ci([found.pk])
    targets = list(discovery.targets_of(found.pk))
    needs, needed_by = queries.relations(found.pk)
    period = text_from(request, "hours", 3)
    hurt = list(
        rights.places(
            places.departments().filter(pk__in=queries.affected_places(found.pk)),
            Right.CMDB_VIEW,
            path="path",
        )
    )
    words = {
        "ci": found,
        "state": state_of(worst.get(found.pk), is_watched=bool(targets)),
        "targets": targets,
        "addresses": list(found.addresses.order_by("-is_main", "kind")),
        "observed": found.attributes.get("observed", {}),
        "needs": [row.target for row in needs if rights.may(Right.CMDB_VIEW, row.target.place_path)],
        "needed_by": [row.source for row in needed_by if rights.may(Right.CMDB_VIEW, row.source.place_path)],
        "hurt": hurt[:12],
        "hurt_count": len(hurt),
        "alarms": alarms.alarms(rights, alarms.Filter(ci=found.pk), at=timezone.now(), size=20).items,
        "records": with_clocks(
            records.records(rights, records.Filter(ci=found.pk, sort="newest"), size=10).items
        ),
        "ports": _ports(found.pk),
        "charts": charts_of(found.pk, number_from(request, "port")),
        "hours": period if period in PERIODS else "6",
        "periods": [("1", "1 h"), ("6", "6 h"), ("24", "24 h"), ("168", _("7 days")), ("720", _("30 days"))],
        "port": text_from(request, "port", 18),
    }
    return render(request, "web/cis/ci.html", words)


def _ports(ci_id: int) -> list[dict[str, Any]]:
    """Interfaces with their newest figures, in the device's own order."""
    components = list(discovery.components_of(ci_id, "interface")[:200])
    if not components:
        return []
    known = {(row.metric, row.instance): row.id for row in metric.series_of(ci_id)}
    newest = metric.latest(ci_id)

    def value(name: str, instance: str) -> float | None:
        found = newest.get(known.get((name, instance), 0))
        return None if found is None or math.isnan(found[1]) else found[1]

    return [
        {
            "component": part,
            "is_up": value("interface.oper_up", part.instance),
            "is_wanted": value("interface.admin_up", part.instance),
            "into": shown_value(value("interface.in_bps", part.instance), "bit/s"),
            "out": shown_value(value("interface.out_bps", part.instance), "bit/s"),
            "errors": value("interface.in_errors", part.instance),
        }
        for part in components
    ]


def _part(names: dict[tuple[int, str, str], str], ci_id: int, line: metric.SeriesInfo) -> str:
    """The name of the port or file system that a series is about; "" for the device itself."""
    return names.get((ci_id, line.metric.partition(".")[0], line.instance), line.instance)


@require_GET
def series(request: HttpRequest, ci_id: int) -> HttpResponse:
    """What one chart draws: {"times": [[...]], "values": [[...]]} a line."""
    found = _seen(request, ci_id)
    hours, step_s = PERIODS.get(text_from(request, "hours", 3), PERIODS["6"])
    instance = text_from(request, "instance", 120)
    end = timezone.now()
    lines: list[int] = []
    for name in text_from(request, "metrics", 300).split(",")[:8]:
        lines += metric.find_series(found.pk, name, instance if "instance" in request.GET else None)[:12]
    known = metric.series_by_ids(lines)
    tracks = metric.window(lines, end - timedelta(hours=hours), end, step_s)
    names = discovery.names_of([found.pk])
    answer = [
        {
            "title": " ".join(filter(None, (known[pk].title, _part(names, found.pk, known[pk])))),
            "points": [
                [at, None if math.isnan(value) else value]
                for at, value in zip(track.times_ms.tolist(), track.values.tolist(), strict=True)
            ],
        }
        for pk, track in tracks.items()
    ]
    return JsonResponse(
        {
            "lines": answer,
            "from": int((end - timedelta(hours=hours)).timestamp() * 1000),
            "to": int(end.timestamp() * 1000),
        }
    )
