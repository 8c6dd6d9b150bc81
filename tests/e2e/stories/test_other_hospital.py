"""Two hospitals in one house: what the one has, the other never learns."""

import uuid
from contextlib import closing

import httpx
import pytest

from tests.e2e.stories.house import Stream, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.peer("snmptrap")]

WORD = "Kaleidoscope"


def test_a_user_of_another_hospital_sees_none_of_it_by_list_count_search_api_or_stream(house):
    ids = house.people["h1"]
    with closing(house.signed_in("engineer.h2")) as strange, closing(house.signed_in("engineer.h1")) as own:
        deaf, hearing = Stream(house, strange), Stream(house, own)
        ci = house.device(f"SW-{WORD}", "127.0.9.40")
        report = {"submission": str(uuid.uuid4()), "title": f"{WORD} is dark", "place": ids["ward"], "ci": ci}
        record = house.post("incidents", report)["id"]
        house.trap(address="127.0.9.40", port=1)
        (alarm,) = until(lambda: house.all("alarms", ci=ci), what="the alarm")
        until(lambda: house.get(f"alarms/{alarm['id']}")["incident"], what="its incident")
        number = house.get(f"incidents/{record}")["number"]

        def told(kind, which):
            return [data for heard, data in hearing.heard if heard == kind and data["id"] == which]

        until(lambda: told("record", record) and told("alarm", alarm["id"]), what="the right person is told")
        # What is of their own hospital comes through the same stream, so it was not merely silent.
        theirs = {**report, "submission": str(uuid.uuid4()), "place": house.people["h2"]["ward"], "ci": None}
        other = house.post("incidents", {**theirs, "title": "Lamp"}, who="engineer.h2")["id"]
        until(lambda: deaf.heard, what="their own")
        assert {data["id"] for _kind, data in deaf.heard} == {other}
        assert {kind for kind, _data in deaf.heard} == {"record"}
        deaf.close()
        hearing.close()

        addresses = (f"incidents/{record}", f"records/{record}", f"alarms/{alarm['id']}", f"cis/{ci}")
        for path in addresses:
            assert house.call("GET", path, who="engineer.h1").status_code == 200, path
            assert house.call("GET", path, who="engineer.h2").status_code == 404, path
        for path in ("incidents", "records", "alarms", "cis", "observations", "places", "people"):
            assert {each["id"] for each in house.all(path, who="engineer.h1")}, path
            ours = {each["id"] for each in house.all(path, who="engineer.h1")}
            seen = {each["id"] for each in house.all(path, who="engineer.h2")}
            assert not ours & seen, path
        assert (
            house.call("GET", f"samples?ci={ci}&metric=device.reachable", who="engineer.h2").status_code
            == 404
        )
        for path in ("incidents", "records", "cis"):
            assert house.all(path, who="engineer.h1", q=WORD), path
            assert house.all(path, who="engineer.h2", q=WORD) == [], path

        for path in (f"/incidents/{record}/", f"/alarms/{alarm['id']}/", f"/cis/{ci}/", f"/portal/{record}/"):
            assert strange.get(path).status_code == 404, path
        assert own.get(f"/incidents/{record}/").status_code == 200
        listings = ("/workbench/", "/incidents/", "/alarms/", "/cis/", f"/search/?q={WORD}", "/portal/")
        for path in (*listings, f"/search/?q={number}"):
            text = strange.get(path).text.replace(f"q={WORD}", "")
            assert f"{WORD} is dark" not in text, path
            assert f"SW-{WORD}" not in text, path
        # Searched for, so that the thousand incidents of another story cannot push it off the first page.
        for path in (f"/incidents/?q={WORD}", f"/cis/?q={WORD}", f"/search/?q={WORD}"):
            text = own.get(path).text.replace(f"q={WORD}", "").replace(f'value="{WORD}"', "")
            assert f"{WORD} is dark" in text or f"SW-{WORD}" in text, path
        moved = {"move": "accept", "version": 1}
        answer = house.call("POST", f"records/{record}/moves", who="engineer.h2", json=moved)
        assert answer.status_code == 404


def test_an_event_stream_opens_for_nobody_who_is_not_signed_in(house):
    address = f"http://127.0.0.1:{house.events_port}/events/"
    assert httpx.get(address, trust_env=False).status_code == 401
    foreign = {"Origin": "http://elsewhere.example"}
    assert httpx.get(address, headers=foreign, trust_env=False).status_code == 403
