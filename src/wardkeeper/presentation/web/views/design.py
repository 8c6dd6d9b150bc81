"""Every component of the pages in all its states, live: for those who build pages, and for the screenshot tests."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET


def _rows() -> list[dict[str, object]]:
    now = timezone.now()
    return [
        {
            "id": n,
            "number": f"20261122-INC-{n:04}",
            "title": title,
            "place": place,
            "priority": priority,
            "state": state,
            "due": now + timedelta(minutes=minutes),
            "share": share,
            "clock": clock,
        }
        for n, (title, place, priority, state, minutes, share, clock) in enumerate(
            (
                (
                    _("Cashier windows cannot reach the insurance interface"),
                    _("Outpatient hall"),
                    1,
                    _("Accepted"),
                    14,
                    0.2,
                    "running",
                ),
                (
                    _("Nurse station PC cannot sign in"),
                    _("Respiratory ward 3"),
                    2,
                    _("Assigned"),
                    41,
                    0.7,
                    "running",
                ),
                (_("Printer jams"), _("Outpatient cashier 3"), 3, _("Pending"), 300, 0.5, "paused"),
                (_("Wristband scanner is slow"), _("Emergency room"), 2, _("Accepted"), -7, 0.0, "running"),
                (
                    _("How do I print last month's list?"),
                    _("Medical records"),
                    5,
                    _("Resolved"),
                    2000,
                    0.9,
                    "met",
                ),
            ),
            start=7,
        )
    ]


@require_GET
def design(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    return render(
        request,
        "web/design.html",
        {
            "rows": _rows(),
            "severities": ("critical", "major", "minor", "warning", "indeterminate", "cleared", "unknown"),
            "priorities": range(1, 6),
            "tones": ("plain", "open", "waiting", "done", "bad", "accent"),
            "clocks": [
                (now + timedelta(minutes=50), 0.9, "running"),
                (now + timedelta(minutes=14), 0.2, "running"),
                (now - timedelta(minutes=3), 0.0, "running"),
                (now + timedelta(hours=30), 0.6, "paused"),
                (now - timedelta(minutes=30), 0.4, "met"),
                (now - timedelta(minutes=30), 0.0, "missed"),
            ],
            "moments": [
                now - timedelta(seconds=20),
                now - timedelta(minutes=12),
                now - timedelta(hours=5),
                now - timedelta(days=3),
            ],
        },
    )


@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "web/parts/design_rows.html", {"rows": _rows()})
