"""Three addresses for machines: is it alive, is it ready, how is it."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from wardkeeper.presentation.api import figures
from wardkeeper.runtime import health
from wardkeeper.settings import current


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all."""
    del request
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 only when engines, migrations and all roles are up; 503 says what is not."""
    del request
    report = health.report(current())
    body = {
        "ready": report.ok,
        "degraded": report.degraded,
        "checks": [
            {"name": check.name, "state": check.state, "detail": check.detail} for check in report.checks
        ],
    }
    return JsonResponse(body, status=200 if report.ok else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format: our own counters, no hospital data."""
    del request
    return HttpResponse(
        figures.prometheus(current()), content_type="text/plain; version=0.0.4; charset=utf-8"
    )
