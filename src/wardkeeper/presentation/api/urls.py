"""The API's addresses, and its description."""

from django.urls import path
from ninja import NinjaAPI

from wardkeeper import __version__
from wardkeeper.presentation.api import monitoring, problems, questions, records, registry
from wardkeeper.presentation.api.access import ACCESS
from wardkeeper.presentation.api.reading import StrictParser

api = NinjaAPI(
    title="Wardkeeper",
    version=__version__,
    description="IT service management, CMDB and monitoring for hospitals.",
    auth=ACCESS,
    parser=StrictParser(),
    docs_url=None,
    urls_namespace="api",
)
problems.install(api)
for part in (questions, records, monitoring, registry):
    api.add_router("", part.router)

urlpatterns = [path("", api.urls)]
