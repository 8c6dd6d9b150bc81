"""What a poller's manifest says is what its code does."""

import json
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from wardkeeper.acquisition import adapters, registry

POLLERS = ("snmp_poll", "icmp", "tcp", "http", "host")
FOLDER = Path(adapters.__file__).parent


@pytest.mark.parametrize("name", POLLERS)
def test_poller_is_found_complete_and_answers_every_step_of_the_ladder(name):
    manifest = registry.manifests()[name]
    assert manifest.kind is registry.Kind.POLLER
    assert "todo" not in manifest.quality.values()
    assert (
        registry.adapter(name).poll is import_module(f"wardkeeper.acquisition.adapters.{name}.adapter").poll
    )


@pytest.mark.parametrize("name", ["snmp_poll", "host"])
def test_every_series_of_the_samples_is_in_the_manifest(name):
    said = {each.removesuffix("{i}") for each in registry.manifests()[name].emits}
    for path in (FOLDER / name / "samples").glob("*.json"):
        sample = json.loads(path.read_text("utf-8"))
        emitted = {series.partition("{")[0] for series in sample.get("series", sample.get("expected"))}
        assert emitted <= said, path.name


@pytest.mark.parametrize("name", POLLERS)
def test_every_series_of_the_manifest_is_explained_in_the_readme(name):
    readme = (FOLDER / name / "README.md").read_text("utf-8")
    families = {each.partition(".")[0] for each in registry.manifests()[name].emits if "." in each}
    assert all(f"`{family}." in readme for family in families)


def test_secrets_are_marked_so_that_they_are_sealed():
    secret = {
        name: {each.name for each in fields(registry.adapter(name).config) if each.metadata.get("secret")}
        for name in POLLERS
    }
    assert secret == {
        "snmp_poll": {"community", "auth_password", "priv_password"},
        "http": {"headers"},
        "icmp": set(),
        "tcp": set(),
        "host": set(),
    }
