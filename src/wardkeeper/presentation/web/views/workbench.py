"""An engineer's home: what is due next, without a click."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from wardkeeper.ledger import queries
from wardkeeper.presentation.reader import demand, scope
from wardkeeper.presentation.web.views.records import text_from, with_clocks
from wardkeeper.registry.people.rights import Right

SOON = timedelta(hours=1)
SHOWN = 60
TABS: tuple[tuple[str, queries.Filter], ...] = (
    ("mine", queries.Filter(mine=True, is_open=True)),
    ("team", queries.Filter(my_team=True, is_open=True)),
    ("unassigned", queries.Filter(unassigned=True, is_open=True)),
    ("watching", queries.Filter(watching=True, is_open=True)),
)


def _words(request: HttpRequest) -> dict[str, Any]:
    rights = demand(request, Right.RECORD_VIEW)
    filters = dict(TABS)
    counts = {name: queries.count(rights, asked) for name, asked in TABS}
    wish = text_from(request, "tab", 12)
    # Nothing of one's own waiting: show the team's, so that the page is not empty when work is there.
    tab = wish if wish in filters else next((name for name, _asked in TABS if counts[name]), "mine")
    titles = {
        "mine": _("Mine"),
        "team": _("My team"),
        "unassigned": _("Unassigned"),
        "watching": _("Watching"),
    }
    found = queries.records(rights, filters[tab], size=SHOWN)
    return {
        "tab": tab,
        "tabs": [(name, titles[name], counts[name]) for name, _asked in TABS],
        "rows": with_clocks(found.items),
        "is_cut": found.next is not None,
        "list_url": reverse("records", args=["incidents"]),
    }


@require_GET
def workbench(request: HttpRequest) -> HttpResponse:
    words = _words(request)
    return render(request, "web/workbench/workbench.html", {**words, "counts": _counts(request)})


@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "web/workbench/rows.html", _words(request))


def _counts(request: HttpRequest) -> dict[str, int]:
    now = timezone.now()
    return queries.counts(scope(request), queries.Filter(is_open=True), at=now, soon=now + SOON)


@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    demand(request, Right.RECORD_VIEW)
    return render(request, "web/workbench/figures.html", {"counts": _counts(request)})
