"""Real web servers, some with certificates that end soon, have ended, or that nobody vouches for."""

import asyncio
import time
from http.server import BaseHTTPRequestHandler

import pytest

from tests.collected import Collected, device
from tests.tls_peer import certificate, serving
from wardkeeper.acquisition.adapters.http import adapter
from wardkeeper.acquisition.contract import ConfigError


class Hospital(BaseHTTPRequestHandler):
    """Pages of a hospital's intranet; remembers what it was asked with."""

    seen: list[tuple[str, str, dict[str, str]]] = []
    elsewhere = ""

    def do_GET(self):
        Hospital.seen.append((self.command, self.path, dict(self.headers)))
        getattr(self, f"page_{self.path.strip('/') or 'login'}")()

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def page_login(self):
        self.answer(200, "<title>医院信息系统</title>登录".encode("gbk"))

    def page_error(self):
        self.answer(500, b"ORA-12541")

    def page_again(self):
        self.answer(302, Location="/again")

    def page_moved(self):
        self.answer(301, Location="/login")

    def page_away(self):
        self.answer(302, Location=Hospital.elsewhere + "/login")

    def page_huge(self):
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(4096):
                self.wfile.write(b"x" * 65536)
        except OSError:
            return

    def page_slow(self):
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b".")
                time.sleep(0.05)
        except OSError:
            return


@pytest.fixture(autouse=True)
def _nothing_seen():
    Hospital.seen.clear()


@pytest.fixture
def site():
    with serving(Hospital) as url:
        yield url


@pytest.fixture
def emit():
    return Collected()


async def test_page_is_up_with_its_text_in_gbk(site, emit):
    await adapter.poll(device({"url": site, "contains": "登录"}), emit)
    assert emit.last["http.up"] == 1
    assert emit.last["http.status"] == 200
    assert 0 < emit.last["http.time_ms"] < 5000
    assert "tls.days_left" not in emit.last


@pytest.mark.parametrize(
    ("path", "more", "expected"),
    [
        ("/error", {}, (0, 500, "status")),
        ("/error", {"status": "500"}, (1, 500, "")),
        ("/", {"contains": "欢迎"}, (0, 200, "text_missing")),
        ("/", {"pattern": "<title>.*</title>"}, (1, 200, "")),
        ("/", {"pattern": "nothing of the kind"}, (0, 200, "pattern_missing")),
        ("/moved", {}, (1, 200, "")),
        ("/moved", {"max_redirects": 0, "status": "301"}, (1, 301, "")),
        ("/", {"method": "HEAD"}, (1, 200, "")),
    ],
)
async def test_answer_is_up_when_it_is_as_expected(site, emit, path, more, expected):
    await adapter.poll(device({"url": site + path, **more}), emit)
    trouble = next((name.removeprefix("trouble.") for name in emit.counts), "")
    assert (emit.last["http.up"], emit.last["http.status"], trouble) == expected


async def test_page_that_redirects_for_ever_is_left_after_a_few(site, emit):
    await adapter.poll(device({"url": site + "/again", "max_redirects": 2}), emit)
    assert emit.last["http.up"] == 0
    assert emit.counts["trouble.redirects"] == 1
    assert len(Hospital.seen) == 3


async def test_endless_body_is_read_to_the_limit_only(site, emit):
    await adapter.poll(device({"url": site + "/huge", "contains": "y", "body_limit_bytes": 100_000}), emit)
    assert emit.counts["trouble.text_missing"] == 1
    assert emit.last["http.time_ms"] < 3000


async def test_page_that_trickles_is_given_up_in_time(site, emit):
    clock = asyncio.get_running_loop().time
    began_s = clock()
    await adapter.poll(device({"url": site + "/slow", "timeout_s": 0.5}), emit)
    assert clock() - began_s < 2
    assert (emit.last["http.up"], emit.counts["trouble.timeout"]) == (0, 1)


async def test_port_where_nobody_listens_is_down(emit, free_port):
    await adapter.poll(device({"url": f"https://127.0.0.1:{free_port()}/"}), emit)
    assert emit.last["http.up"] == 0
    assert emit.counts["trouble.unreachable"] == 1
    assert emit.last["tls.days_left"] != emit.last["tls.days_left"]


async def test_secret_headers_are_sent_and_stay_at_home(site, emit):
    with serving(Hospital) as other:
        Hospital.elsewhere = other
        await adapter.poll(device({"url": site + "/away", "headers": "X-Api-Key: geheim\nAccept: */*"}), emit)
    assert emit.last["http.up"] == 1
    first, second = (
        {name.lower(): value for name, value in headers.items()} for _, _, headers in Hospital.seen
    )
    assert first["x-api-key"] == "geheim"
    assert "x-api-key" not in second


async def test_proxy_of_the_environment_is_not_used(site, emit, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await adapter.poll(device({"url": site}), emit)
    assert emit.last["http.up"] == 1


async def test_certificate_that_ends_in_5_days_says_so_though_nobody_vouches_for_it(emit, tmp_path):
    with serving(Hospital, certificate(tmp_path, days=5)) as url:
        await adapter.poll(device({"url": url}), emit)
    assert emit.last["http.up"] == 1
    assert emit.last["tls.days_left"] == pytest.approx(5, abs=0.01)
    assert emit.last["tls.trusted"] == 0


async def test_certificate_of_the_hospital_s_own_authority_is_trusted(emit, tmp_path):
    pem = certificate(tmp_path, days=90)
    with serving(Hospital, pem) as url:
        await adapter.poll(device({"url": url, "ca_file": str(pem), "require_trusted": True}), emit)
    assert (emit.last["http.up"], emit.last["tls.trusted"]) == (1, 1)
    assert emit.last["tls.days_left"] == pytest.approx(90, abs=0.01)


async def test_certificate_that_ended_yesterday_is_not_trusted_and_negative(emit, tmp_path):
    pem = certificate(tmp_path, days=-1)
    with serving(Hospital, pem) as url:
        await adapter.poll(device({"url": url, "ca_file": str(pem), "require_trusted": True}), emit)
    assert (emit.last["http.up"], emit.last["tls.trusted"]) == (0, 0)
    assert emit.last["http.status"] == 200
    assert emit.last["tls.days_left"] == pytest.approx(-1, abs=0.01)
    assert emit.counts["trouble.untrusted"] == 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_device_with_an_old_tls_is_still_seen(emit, tmp_path):
    with serving(Hospital, certificate(tmp_path, days=30), tls="1.1") as url:
        await adapter.poll(device({"url": url}), emit)
    assert (emit.last["http.up"], emit.last["tls.trusted"]) == (1, 0)


async def test_plain_server_behind_an_https_address_is_down(emit, site):
    await adapter.poll(device({"url": site.replace("http:", "https:")}), emit)
    assert emit.last["http.up"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://x/"},
        {"url": "http://"},
        {"url": "http://x/", "status": "ok"},
        {"url": "http://x/", "pattern": "("},
        {"url": "http://x/", "method": "POST"},
        {"url": "http://x/", "method": "HEAD", "contains": "y"},
        {"url": "http://x/", "headers": "no colon"},
        {"url": "http://x/", "ca_file": "/nowhere"},
        {"url": "http://x/", "colour": "red"},
    ],
)
async def test_impossible_configuration_is_refused(emit, wrong):
    with pytest.raises(ConfigError):
        await adapter.poll(device(wrong), emit)
    assert emit.messages == []
