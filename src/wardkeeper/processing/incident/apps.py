"""Makes the incident workflow known when Django is ready."""

from django.apps import AppConfig


class IncidentConfig(AppConfig):
    name = "wardkeeper.processing.incident"
    label = "incident"

    def ready(self) -> None:
        # Models cannot be imported before Django is ready, and a workflow speaks of models.
        from wardkeeper.ledger.workflow import register  # noqa: PLC0415 - see above
        from wardkeeper.processing.incident.workflow import GUARDS, WORKFLOW  # noqa: PLC0415 - see above

        register(WORKFLOW, GUARDS)
