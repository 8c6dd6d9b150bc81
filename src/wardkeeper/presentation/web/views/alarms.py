"""The alarm console: what is wrong now, worst first, live."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from wardkeeper.aggregation.alarm import queries, services
from wardkeeper.ledger.cursor import BadCursor
from wardkeeper.presentation.reader import demand, scope
from wardkeeper.presentation.web.views.record_changes import me, text_of
from wardkeeper.presentation.web.views.records import number_from, text_from
from wardkeeper.processing.incident.queries import records_of_alarms
from wardkeeper.registry.people.rights import Right

if TYPE_CHECKING:
    from wardkeeper.aggregation.alarm.models import Alarm

SEVERITIES = ("critical", "major", "minor", "indeterminate", "warning")
FILTERS = ("q", "state", "severity", "quiet", "sort")
MOST_CHOSEN = 200
HOURS = {"1": 1, "4": 4, "24": 24, "168": 168}


def _wanted(request: HttpRequest) -> queries.Filter:
    state, level = text_from(request, "state", 8), text_from(request, "severity", 13)
    quiet = text_from(request, "quiet", 3)
    return queries.Filter(
        state="" if state == "all" else state if state in ("active", "cleared") else "active",
        severities=[level] if level in SEVERITIES else (),
        ci=number_from(request, "ci"),
        quiet={"yes": True, "no": False}.get(quiet),
        text=text_from(request, "q"),
        sort="newest" if text_from(request, "sort", 8) == "newest" else "severity",
    )


def _page(request: HttpRequest) -> dict[str, Any]:
    rights, asked, now = scope(request), _wanted(request), timezone.now()
    try:
        found = queries.alarms(rights, asked, at=now, cursor=text_from(request, "cursor", 600))
    except BadCursor:
        found = queries.alarms(rights, asked, at=now)
    incidents = records_of_alarms(rights, [alarm.pk for alarm in found.items])
    rows = [
        {"alarm": alarm, "incident": incidents.get(alarm.pk), "is_quiet": is_quiet(alarm)}
        for alarm in found.items
    ]
    counts = queries.counts(rights)
    return {
        "rows": rows,
        "next": found.next,
        "counts": [(severity, counts.get(severity, 0)) for severity in SEVERITIES],
    }


def is_quiet(alarm: Alarm) -> bool:
    return alarm.acknowledged_until is not None and alarm.acknowledged_until > timezone.now()


@require_GET
def console(request: HttpRequest) -> HttpResponse:
    rights = demand(request, Right.ALARM_VIEW)
    words = {
        **_page(request),
        "filters": _filters(request),
        "q": text_from(request, "q"),
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
        "rows_url": f"{reverse('alarm-rows')}?{request.GET.urlencode()}",
        "may_acknowledge": rights.may(Right.ALARM_ACKNOWLEDGE),
    }
    return render(request, "web/alarms/console.html", words)


def _filters(request: HttpRequest) -> list[dict[str, Any]]:
    titles = {
        "critical": _("Critical"),
        "major": _("Major"),
        "minor": _("Minor"),
        "indeterminate": _("Indeterminate"),
        "warning": _("Warning"),
    }
    return [
        {
            "name": "state",
            "title": _("State"),
            "options": [("active", _("Active")), ("cleared", _("Cleared"))],
            "value": text_from(request, "state", 8),
        },
        {
            "name": "severity",
            "title": _("Severity"),
            "options": list(titles.items()),
            "value": text_from(request, "severity", 13),
        },
        {
            "name": "quiet",
            "title": _("Acknowledged"),
            "options": [("no", _("No")), ("yes", _("Yes"))],
            "value": text_from(request, "quiet", 3),
        },
        {
            "name": "sort",
            "title": _("Order"),
            "options": [("newest", _("Newest first"))],
            "value": text_from(request, "sort", 8),
        },
    ]


@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    demand(request, Right.ALARM_VIEW)
    return render(request, "web/alarms/rows.html", _page(request))


def _seen(request: HttpRequest, alarm_id: int) -> Alarm:
    try:
        return queries.alarm(scope(request), alarm_id)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


@require_GET
def alarm(request: HttpRequest, alarm_id: int) -> HttpResponse:
    found = _seen(request, alarm_id)
    words = {
        "alarm": found,
        "is_quiet": is_quiet(found),
        "incident": records_of_alarms(scope(request), [found.pk]).get(found.pk),
        "may_acknowledge": scope(request).may(Right.ALARM_ACKNOWLEDGE, found.place_path),
    }
    return render(request, "web/alarms/alarm.html", words)


@require_POST
def acknowledge(request: HttpRequest) -> HttpResponse:
    """Acknowledges what was selected, for so long, with a note; or takes the acknowledgement back."""
    rights = scope(request)
    chosen = []
    for text in request.POST.getlist("id")[:MOST_CHOSEN]:
        if text.isascii() and text.isdigit() and len(text) <= 18:  # noqa: PLR2004 - a bigint
            found = _seen(request, int(text))
            rights.demand(Right.ALARM_ACKNOWLEDGE, found.place_path)
            chosen.append(found.pk)
    if request.POST.get("what") == "withdraw":
        services.withdraw_acknowledgement(chosen)
    elif request.POST.get("what") == "clear":
        for alarm_id in chosen:
            services.clear_by_hand(alarm_id)
    elif chosen:
        hours = HOURS.get(request.POST.get("hours", ""), 4)
        until = timezone.now() + timedelta(hours=hours)
        services.acknowledge(chosen, actor=me(request), note=text_of(request, "note", 500), until=until)
    if len(chosen) == 1 and request.POST.get("back") == "alarm":
        return redirect("alarm", chosen[0])
    return redirect("alarms")
