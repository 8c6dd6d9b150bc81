"""The bench, made short: it runs, names its figures as the design does, and leaves nothing behind."""

import multiprocessing

import pytest

from wardkeeper.acquisition.adapters.snmp_poll import adapter
from wardkeeper.cli.bench import snmp_poll


@pytest.mark.peer("snmpd")
def test_bench_gives_its_figures_and_leaves_nothing_behind(monkeypatch):
    known = set(adapter._KNOWN)  # other tests of this process poll, too
    monkeypatch.setattr(snmp_poll, "SECONDS", 0.3)
    monkeypatch.setattr(snmp_poll, "MEASURED_INTERVAL_S", 1.0)
    monkeypatch.setattr(snmp_poll, "DEAD_POLL_S", 0.1)
    figures = snmp_poll.run(0.02)
    assert set(figures) == {
        "variables_per_s",
        "poll_cpu_ms",
        "cpu_share",
        "dead_delay_ms",
        "snmpd_variables_per_s",
    }
    assert figures["variables_per_s"] > 1000
    assert 0 < figures["cpu_share"] < 1
    assert set(adapter._KNOWN) == known
    assert multiprocessing.active_children() == []
