"""The incident's page."""

from django.utils.translation import gettext_noop as _

from wardkeeper.presentation.web.record_page import RecordPage

INCIDENT = RecordPage(
    kind="incident",
    slug="incidents",
    title=_("Incident"),
    many=_("Incidents"),
    icon="ticket",
    answers=(
        ("pending_reason", _("Waiting for")),
        ("next_action_at", _("Next action at")),
        ("workaround", _("Workaround")),
        ("cause", _("Cause")),
        ("solution", _("Solution")),
        ("minutes", _("Minutes of work")),
        ("reason", _("Reason")),
    ),
)
