"""Every address of this installation. Each face keeps its own list."""

from importlib.util import find_spec

from django.urls import include, path

from wardkeeper.presentation.api import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("wardkeeper.presentation.web.urls")),
]
for prefix, module in (
    ("portal/", "wardkeeper.presentation.portal.urls"),
    ("api/v1/", "wardkeeper.presentation.api.urls"),
):
    if find_spec(module):
        urlpatterns.append(path(prefix, include(module)))

handler400 = "wardkeeper.presentation.web.views.errors.bad_request"
handler403 = "wardkeeper.presentation.web.views.errors.forbidden"
handler404 = "wardkeeper.presentation.web.views.errors.not_found"
handler500 = "wardkeeper.presentation.web.views.errors.failed"
