"""logger of util-linux, and a web server whose certificate ends soon."""

import subprocess
from http.server import BaseHTTPRequestHandler

import pytest

from tests.e2e.stories.house import until
from tests.tls_peer import certificate, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def log(house, transport, level, text):
    command = [
        "logger",
        "-n",
        "127.0.0.1",
        "-P",
        str(house.syslog_port),
        transport,
        "-p",
        level,
        "-t",
        "his",
        text,
    ]
    subprocess.run(command, env=house.env, capture_output=True, timeout=30, check=True)


@pytest.mark.peer("logger")
@pytest.mark.parametrize(("transport", "name"), [("-d", "UDP"), ("-T", "TCP")])
def test_a_critical_line_of_logger_is_an_alarm_and_a_notice_is_only_kept(house, transport, name):
    critical, notice = f"RAID of the {name} recorder has failed", f"{name} recorder rotated its log"
    log(house, transport, "user.crit", critical)
    log(house, transport, "user.notice", notice)

    def alarmed():
        found = house.all("alarms", state="all")
        return [alarm for alarm in found if alarm["parameters"].get("message") == critical]

    (alarm,) = until(alarmed, what="the alarm")
    assert (alarm["condition"], alarm["severity"]) == ("syslog.severe", "major")
    until(lambda: house.get(f"alarms/{alarm['id']}")["incident"], what="its incident")

    def kept():
        return [seen for seen in house.all("observations", adapter="syslog") if seen["text"] == notice]

    (seen,) = until(kept, what="the notice among the observations")
    assert seen["severity"] is None
    assert not [a for a in house.all("alarms", state="all") if a["parameters"].get("message") == notice]


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *words):
        """Quiet."""


def test_a_certificate_that_ends_in_five_days_is_a_major_alarm_with_an_incident(house, tmp_path):
    with serving(Page, certificate(tmp_path, days=5.5)) as url:
        watch = {"adapter": "http", "config": {"url": url}, "interval_s": 5}
        ci = house.device("PACS-WEB", "127.0.9.20", watch=[watch], type="server")

        def alarmed():
            return [
                a for a in house.all("alarms", ci=ci) if a["condition"] == "tls.days_left" and a["incident"]
            ]

        (alarm,) = until(alarmed, within_s=60, what="the alarm")
    assert alarm["severity"] == "major"
    (incident,) = house.all("incidents", ci=ci)
    assert incident["id"] == alarm["incident"]["id"]
