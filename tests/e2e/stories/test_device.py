"""A device from its first page to its fall and rise: net-snmp's agent, watched by the house."""

import pytest
from playwright.sync_api import expect

from tests.e2e.stories.house import until
from tests.snmp_peers import Snmpd

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.peer("snmpd")]


def agent(folder, address):
    """net-snmp's agent also on `address`, so that several devices can live on one machine."""
    folder.mkdir()
    made = Snmpd(folder)
    conf = folder / "snmpd.conf"
    text = conf.read_text()
    conf.write_text(text.replace("udp:127.0.0.1", f"udp:{address}:{made.port},udp:127.0.0.1", 1))
    made.start()
    return made


def test_a_device_is_added_on_its_page_after_its_credentials_were_tried_and_its_charts_appear(
    house, window, tmp_path
):
    peer = agent(tmp_path / "agent", "127.0.9.30")
    try:
        page = window("/cis/add/", who="engineer.h1", language="en-GB")
        page.locator("[name=address]").fill("127.0.9.30")
        page.locator("[name=port]").fill(str(peer.port))
        page.locator("[name=community]").fill("wrong")
        page.locator("[name=name]").fill("SW-ADDED")
        page.locator("[name=place]").select_option(str(house.people["h1"]["ward"]))
        page.get_by_role("button", name="Try and save").click()
        expect(page.get_by_role("alert")).to_contain_text("community", ignore_case=True)
        assert not house.all("cis", q="SW-ADDED")
        page.locator("[name=community]").fill("public")
        page.get_by_role("button", name="Try it").click()
        expect(page.get_by_role("status").filter(has_text="ward-switch")).to_be_visible()
        page.locator("[name=community]").fill("public")
        page.get_by_role("button", name="Try and save").click()
        page.wait_for_url("**/cis/*/")
        expect(page.get_by_role("heading", level=1)).to_have_text("SW-ADDED")
        ci = int(page.url.rstrip("/").rpartition("/")[2])

        def all_samples():
            found = house.get("samples", ci=ci, metric="device.reachable")["items"]
            return found and found[0]["values"]

        assert until(all_samples, within_s=120, what="the first poll")[-1] == 1
        assert house.get("samples", ci=ci, metric="interface.oper_up")["items"]

        def charted():
            page.reload()
            return page.locator("[data-chart]").count()

        until(charted, within_s=60, what="a chart")
        expect(page.locator("[data-chart] canvas, [data-chart] svg").first).to_be_visible()
        # The first port is not covered by the table's own header.
        assert page.evaluate(
            "document.querySelector('.wc-ports tbody tr').getBoundingClientRect().top"
            " >= document.querySelector('.wc-ports th').getBoundingClientRect().bottom - 1"
        )
    finally:
        peer.stop()


def test_an_agent_that_stops_is_a_critical_alarm_and_when_it_is_back_the_record_proposes_to_resolve(
    house, tmp_path
):
    peer = agent(tmp_path / "agent", "127.0.9.31")
    try:
        config = {"host": "127.0.9.31", "port": peer.port, "version": "2c", "request_timeout_s": 1}
        watch = {
            "adapter": "snmp_poll",
            "config": config,
            "secrets": {"community": "public"},
            "interval_s": 5,
        }
        ci = house.device("SW-FALLS", "127.0.9.31", watch=[watch])

        def reached():
            found = house.get("samples", ci=ci, metric="device.reachable")["items"]
            return found and 1 in found[0]["values"]

        until(reached, within_s=60, what="the first poll")
        peer.stop()

        def fallen():
            return [
                a
                for a in house.all("alarms", ci=ci)
                if a["condition"] == "device.reachable" and a["incident"]
            ]

        (alarm,) = until(fallen, within_s=90, what="the alarm")
        assert alarm["severity"] == "critical"
        peer.start()
        until(lambda: house.get(f"alarms/{alarm['id']}")["state"] == "cleared", within_s=60, what="the clear")
        record = f"incidents/{alarm['incident']['id']}"
        until(lambda: house.get(record)["proposed_move"] == "resolve", what="the proposal")
        assert "alarm cleared" in house.get(record)["entries"][-1]["note"].lower()
    finally:
        peer.stop()
