"""What the journal says when a clock has used up a share of its target."""

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from wardkeeper.processing.sla.workflow import ClockName

_BEFORE = {
    ClockName.ACCEPT: _("%(percent)s%% of the time to accept is used. Due %(due)s."),
    ClockName.RESTORE: _("%(percent)s%% of the time to restore is used. Due %(due)s."),
    ClockName.RESOLVE: _("%(percent)s%% of the time to resolve is used. Due %(due)s."),
}
_OVER = {
    ClockName.ACCEPT: _("The time to accept is over: %(percent)s%% are used. It was due %(due)s."),
    ClockName.RESTORE: _("The time to restore is over: %(percent)s%% are used. It was due %(due)s."),
    ClockName.RESOLVE: _("The time to resolve is over: %(percent)s%% are used. It was due %(due)s."),
}
_ALL = 100


def line(clock: ClockName, percent: int, due_at: datetime) -> tuple[str, Mapping[str, str | int]]:
    """An English text and its parameters. The time is the installation's: a journal is read in one place."""
    texts = _BEFORE if percent < _ALL else _OVER
    return texts[clock], {
        "percent": percent,
        "due": f"{timezone.localtime(due_at, timezone.get_default_timezone()):%Y-%m-%d %H:%M}",
    }
