"""A running house, and how to ask it."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.stories.inside import PASSWORD

TRAP_USER = (
    "-v3",
    "-u",
    "ward",
    "-l",
    "authPriv",
    "-a",
    "SHA",
    "-x",
    "AES",
    "-A",
    "authpass12",
    "-X",
    "privpass12",
)
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
_INSIDE = str(Path(__file__).with_name("inside.py"))


def until(condition: Callable[[], Any], *, within_s: float = 30.0, what: str = "") -> Any:
    """What `condition` returns once it is true; fails after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what or condition}")
        time.sleep(0.1)


def settings_file(*, events: int, syslog: int, trap: int) -> str:
    return f"""
[web]
events_listen = "127.0.0.1:{events}"

[adapters.syslog]
port = {syslog}
min_severity = 5

[adapters.snmp_trap]
port = {trap}
communities = ["public"]

[[adapters.snmp_trap.users]]
name = "ward"
auth = "SHA"
auth_key = "authpass12"
priv = "AES128"
priv_key = "privpass12"
"""


class House:
    """`wardkeeper up` in a process of its own. `people` has ids of two hospitals, see inside.py."""

    def __init__(self, folder: Path, free_port: Callable[[], int]) -> None:
        self.data = folder / "house"
        self.port, self.events_port = free_port(), free_port()
        self.syslog_port, self.trap_port = free_port(), free_port()
        config = folder / "wardkeeper.toml"
        config.write_text(
            settings_file(events=self.events_port, syslog=self.syslog_port, trap=self.trap_port)
        )
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("WARDKEEPER_", "DJANGO_"))
        }
        self.env = {**clean, "WARDKEEPER_DATA": str(self.data), "WARDKEEPER_CONFIG": str(config)}
        self._output = folder / "output.txt"
        with self._output.open("w") as sink:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "wardkeeper", "up"),
                    *("--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"),
                ],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
        self._tokens: dict[str, str] = {}
        self.password = ""
        self.people: dict[str, dict[str, int]] = {}

    def wait_ready(self) -> None:
        def is_ready() -> bool:
            assert self.process.poll() is None, self.text()
            return f"Wardkeeper is ready at {self.url}/" in self.text()

        until(is_ready, within_s=120, what="the ready line")
        found = re.search(r"\(shown only now\):\n +(\S{10,})\n", self.text())
        assert found, self.text()
        self.password = found[1]
        self.people = json.loads(self.inside("populate"))

    def text(self) -> str:
        return self._output.read_text()

    def inside(self, what: str) -> str:
        """Output of inside.py."""
        done = subprocess.run(
            [sys.executable, _INSIDE, what],
            env={**self.env, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def token(self, username: str = "admin") -> str:
        if username not in self._tokens:
            done = subprocess.run(
                [sys.executable, "-m", "wardkeeper", "token", "create", username],
                env=self.env,
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
            self._tokens[username] = done.stdout.splitlines()[-1]
        return self._tokens[username]

    def call(self, method: str, path: str, *, who: str = "admin", **words: Any) -> httpx.Response:
        """One request to /api/v1 with the token of `who`."""
        headers = {"Authorization": f"Bearer {self.token(who)}", "Accept-Language": "en"}
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.request(method, f"{self.url}/api/v1/{path}", headers=headers, **words)

    def get(self, path: str, *, who: str = "admin", **params: Any) -> Any:
        answer = self.call("GET", path, who=who, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, *, who: str = "admin") -> Any:
        answer = self.call("POST", path, who=who, json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def all(self, path: str, *, who: str = "admin", **params: Any) -> list[Any]:
        """Every item of a list, page by page."""
        found: list[Any] = []
        cursor = ""
        while True:
            page = self.get(path, who=who, **params, limit=500, cursor=cursor)
            found += page["items"]
            cursor = page["next"]
            if not cursor:
                return found

    def device(self, name: str, address: str, *, hospital: str = "h1", watch: Any = (), **words: Any) -> int:
        """Id of a new switch of the hospital's network team, in its ward."""
        ids = self.people[hospital]
        body = {
            "name": name,
            "address": address,
            "type": "switch",
            "place": ids["ward"],
            "owner_team": ids["network"],
            "watch": list(watch),
            **words,
        }
        return int(self.post("devices", body)["id"])

    def trap(self, *, address: str, port: int) -> None:
        """A linkDown of net-snmp, version 2c, as if from the device at `address`."""
        column = "1.3.6.1.2.1.2.2.1"
        about = (f"{column}.1.{port}", "i", str(port), f"{column}.2.{port}", "s", f"GE0/{port}")
        to = (f"--clientaddr={address}", f"127.0.0.1:{self.trap_port}")
        command = ["snmptrap", "-v2c", "-c", "public", *to, "77", LINK_DOWN, *about]
        subprocess.run(command, env={**self.env, "MIBS": ""}, capture_output=True, timeout=30, check=True)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def oldest(self, name: str) -> psutil.Process:
        """The first process of this name: of wk-web the one that has the workers, of postgres the postmaster."""
        return min(
            (each for each in self.children() if each.name() == name), key=lambda each: each.create_time()
        )

    def role(self, name: str) -> psutil.Process:
        """The process of a role, as the supervisor says."""
        facts = json.loads((self.data / "run" / "status").read_bytes().rstrip())
        return psutil.Process(int(facts["roles"][name]["pid"]))

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False, timeout=10).status_code == 200
        except httpx.HTTPError:
            return False

    def signed_in(self, username: str, password: str = PASSWORD) -> httpx.Client:
        """A browser without a screen."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=30, follow_redirects=True)
        page = client.get("/login/")
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert found, page.text
        fields = {"csrfmiddlewaretoken": found[1], "username": username, "password": password}
        answer = client.post("/login/", data=fields, headers={"Referer": f"{self.url}/login/"})
        assert answer.status_code == 200, answer.text
        assert answer.url.path != "/login/"
        return client

    def stop(self) -> None:
        family = []
        with suppress(psutil.NoSuchProcess):
            family = self.children()
        self.process.terminate()
        try:
            self.process.wait(30)
        finally:
            for each in family:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()


class Stream:
    """The event stream as `client` gets it; `heard` are (kind, data)."""

    def __init__(self, house: House, client: httpx.Client) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.is_open = threading.Event()
        self._stop = threading.Event()
        self._url = f"http://127.0.0.1:{house.events_port}/events/"
        self._cookies = {cookie.name: str(cookie.value) for cookie in client.cookies.jar}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self.is_open.wait(30)

    def _read(self) -> None:
        kind = ""
        with (
            suppress(httpx.HTTPError),
            httpx.Client(trust_env=False, timeout=60, cookies=self._cookies) as client,
            client.stream("GET", self._url) as response,
        ):
            assert response.status_code == 200
            for line in response.iter_lines():
                self.is_open.set()
                if self._stop.is_set():
                    return
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.heard.append((kind, json.loads(line.removeprefix("data: "))))

    def close(self) -> None:
        """The reader ends with the next heartbeat, or with the house."""
        self._stop.set()


@contextmanager
def running(folder: Path, free_port: Callable[[], int]) -> Iterator[House]:
    house = House(folder, free_port)
    try:
        house.wait_ready()
        yield house
    finally:
        house.stop()
