"""The page of figures keeps other benches, other scales and other machines."""

import argparse
import importlib
import json

import pytest

from wardkeeper.cli import bench
from wardkeeper.cli.bench import _page


def _result(name="traps", *, scale=1.0, figures=None, cores=2):
    machine = {"cores": cores, "cpu": "Some CPU", "memory_gb": 24}
    return {
        "bench": name,
        "figures": figures or {"traps_per_s": 5123.0},
        "machine": machine,
        "settings": {"scale": scale},
    }


def test_new_run_replaces_its_own_row_and_keeps_the_others(tmp_path):
    page = tmp_path / "bench.md"
    _page.put(page, _result(), description="Traps from socket to alarm.")
    _page.put(page, _result(scale=10.0), description="Traps from socket to alarm.")
    _page.put(page, _result("syslog", figures={"messages_per_s": 50000.0}), description="Lines.")
    _page.put(
        page, _result(figures={"traps_per_s": 6000.0, "lost": 0.0}), description="Traps from socket to alarm."
    )
    text = page.read_text()
    assert text.count("## traps") == 1
    assert text.count("## syslog") == 1
    assert "| 1 | 6,000 | 0 | 2 cores, Some CPU, 24 GB |" in text
    assert "| 10 | 5,123 |  | 2 cores" in text
    assert "| 1 | 5,123" not in text
    assert text.count("Traps from socket to alarm.") == 1


def test_other_machine_has_a_row_of_its_own(tmp_path):
    page = tmp_path / "bench.md"
    _page.put(page, _result(), description="d")
    _page.put(page, _result(cores=8), description="d")
    assert page.read_text().count("Some CPU, 24 GB |") == 2


def test_result_names_bench_figures_machine_and_settings(monkeypatch, capsys):
    class Module:
        __doc__ = "A bench."
        SETTINGS = {"devices": 3}

        @staticmethod
        def run(scale):
            return {"ready_s": 1.23456 * scale}

    monkeypatch.setattr(importlib, "import_module", lambda _name: Module)
    assert bench.run(type("Args", (), {"name": "start", "scale": 2.0, "json": True, "write": None})()) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["figures"] == {"ready_s": 2.469}
    assert result["settings"] == {"scale": 2.0, "devices": 3}
    assert {"cores", "cpu", "memory_gb", "python"} <= set(result["machine"])


@pytest.mark.parametrize("text", ["0", "-1", "1001"])
def test_scale_out_of_reach_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        bench._scale(text)
