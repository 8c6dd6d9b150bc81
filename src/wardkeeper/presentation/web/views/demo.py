"""The switchboard of the demo's devices: each can be broken and mended, and really is.

The devices' process lists itself in `demo/devices.json` of the data directory while it runs; a
fault is a file in `demo/faults`, which it looks for several times a second.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from wardkeeper.presentation.reader import demand
from wardkeeper.registry.people.rights import Right
from wardkeeper.settings import current

FAULTS = {
    "silent": (gettext_noop("does not answer"), gettext_noop("Silence it")),
    "port_down": (gettext_noop("port 12 is down"), gettext_noop("Take port 12 down")),
    "on_battery": (gettext_noop("runs on battery"), gettext_noop("Cut the mains")),
    "disk_full": (gettext_noop("data disk is 97 % full"), gettext_noop("Fill the disk")),
    "slow": (gettext_noop("answers after 3.6 s"), gettext_noop("Make it slow")),
    "error": (gettext_noop("answers with error 500"), gettext_noop("Make it fail")),
    "certificate": (gettext_noop("certificate ends in 3 days"), gettext_noop("Age the certificate")),
}
"""code: (how it stands, what the button says)"""


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    state: str
    button: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Device:
    key: str
    code: str
    name: str
    address: str
    faults: tuple[Fault, ...]

    @property
    def broken(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.is_on]


@require_http_methods(["GET", "POST"])
def demo(request: HttpRequest) -> HttpResponse:
    """Lists the devices; a POST with `device`, `fault` and `on` (1 or 0) changes one, `mend` all."""
    demand(request, Right.SYSTEM_ADMIN)
    folder = current().data_dir / "demo"
    known = _devices(folder)
    if request.method != "POST":
        return render(request, "web/demo.html", {"devices": known})
    if "mend" in request.POST:
        for path in _faults_in(folder):
            path.unlink(missing_ok=True)
        messages.success(request, _("Every device is mended."))
        return redirect("demo")
    device = next((each for each in known if each.key == request.POST.get("device")), None)
    fault = (
        next((each for each in device.faults if each.code == request.POST.get("fault")), None)
        if device
        else None
    )
    if device is None or fault is None:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    path = folder / "faults" / f"{device.key}.{fault.code}"
    if request.POST.get("on") == "1":
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch()
        messages.success(request, _("%(device)s: %(state)s.") % {"device": device.name, "state": fault.state})
    else:
        path.unlink(missing_ok=True)
        messages.success(request, _("%(device)s is mended.") % {"device": device.name})
    return redirect("demo")


def _devices(folder: Path) -> list[Device]:
    """Those that run. Raises Http404 if none do: this is no demo."""
    try:
        listed = json.loads((folder / "devices.json").read_text())
    except FileNotFoundError:
        raise Http404 from None
    broken = {path.name for path in _faults_in(folder)}
    name = "name_zh" if (get_language() or "zh").startswith("zh") else "name_en"
    return [
        Device(
            each["key"],
            each["code"],
            each[name],
            each["address"],
            tuple(
                Fault(code, _(FAULTS[code][0]), _(FAULTS[code][1]), f"{each['key']}.{code}" in broken)
                for code in each["faults"]
            ),
        )
        for each in listed
    ]


def _faults_in(folder: Path) -> list[Path]:
    place = folder / "faults"
    return list(place.iterdir()) if place.is_dir() else []
