from dataclasses import replace

import pytest

from wardkeeper.runtime import addresses
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.settings.schema import Settings, Web


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("[::1]:8000", ("::1", 8000)),
        ("wards.example:1", ("wards.example", 1)),
    ],
)
def test_address_is_host_and_port(text, parts):
    assert addresses.split(text, setting="web.listen") == parts
    assert addresses.shown(*parts) == text


@pytest.mark.parametrize(
    "text", ["", "8000", ":8000", "host:", "host:0", "host:65536", "host:-1", "host:http"]
)
def test_anything_else_is_refused_by_the_name_of_the_setting(text):
    with pytest.raises(RefusalError, match=r"^web\.listen: "):
        addresses.split(text, setting="web.listen")


def test_event_streams_are_next_to_the_pages_unless_set(tmp_path):
    settings = Settings(data_dir=tmp_path, web=Web(listen="127.0.0.1:9000"))
    assert addresses.events(settings) == ("127.0.0.1", 9001)
    apart = replace(settings, web=replace(settings.web, events_listen="[::1]:7000"))
    assert addresses.events(apart) == ("::1", 7000)
