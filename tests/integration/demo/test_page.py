"""The switchboard: only where devices run, only for administrators; a POST breaks and mends."""

import json
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.test import Client

from tests.integration import hospital
from wardkeeper.presentation.web.views import demo
from wardkeeper.registry.people.services import grant

pytestmark = pytest.mark.django_db
PATH = "/demo/"


@pytest.fixture
def data(tmp_path, monkeypatch):
    (tmp_path / "demo").mkdir()
    monkeypatch.setattr(demo, "current", lambda: SimpleNamespace(data_dir=tmp_path))
    known = {"key": "core", "code": "SW-CORE-01", "name_zh": "核心交换机 1", "name_en": "Core switch 1"}
    known |= {"type": "core_switch", "address": "127.0.10.1", "faults": ["silent", "port_down"]}
    (tmp_path / "demo" / "devices.json").write_text(json.dumps([known]))
    return tmp_path


def browser(language="zh-CN", *, is_admin=True):
    place = hospital.build()
    if is_admin:
        grant(place.chief, "administrator")
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(place.chief, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ("演示设备", "核心交换机 1", "断开端口 12")),
        ("en", ("Demo devices", "Core switch 1", "Take port 12 down")),
    ],
)
def test_the_page_lists_devices_with_their_buttons_in_both_languages(data, language, words):
    text = browser(language).get(PATH).content.decode()
    for word in words:
        assert word in text


def test_a_press_breaks_a_second_one_mends(data):
    client = browser("en")
    path = data / "demo" / "faults" / "core.port_down"
    press = {"device": "core", "fault": "port_down"}
    answer = client.post(PATH, press | {"on": "1"}, follow=True)
    assert path.exists()
    assert "port 12 is down" in answer.content.decode()
    client.post(PATH, press | {"on": "0"})
    assert not path.exists()


def test_everything_is_mended_at_once(data):
    client = browser()
    for fault in ("silent", "port_down"):
        client.post(PATH, {"device": "core", "fault": fault, "on": "1"})
    client.post(PATH, {"mend": "all"})
    assert list((data / "demo" / "faults").iterdir()) == []


@pytest.mark.parametrize(
    "press", [{"device": "../x", "fault": "silent"}, {"device": "core", "fault": "../../x"}, {}]
)
def test_what_is_no_device_or_fault_changes_nothing(data, press):
    assert browser().post(PATH, press | {"on": "1"}).status_code == 400
    assert not (data / "demo" / "faults").exists()


def test_without_devices_there_is_no_page(data):
    (data / "demo" / "devices.json").unlink()
    assert browser().get(PATH).status_code == 404


def test_only_an_administrator_may(data):
    assert browser(is_admin=False).get(PATH).status_code == 403
