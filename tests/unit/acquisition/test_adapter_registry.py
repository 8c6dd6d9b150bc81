"""Every adapter is complete; a wrong manifest or setting is refused with what is allowed."""

from pathlib import Path

import pytest

from wardkeeper.acquisition import registry, targets
from wardkeeper.acquisition.contract import ConfigError
from wardkeeper.acquisition.registry import Kind, ManifestError, adapter, manifests, parse
from wardkeeper.messages import Target, TargetsAssigned

WHOLE = """
name = "x"
kind = "listener"
[title]
en = "X"
zh-hans = "X"
[quality]
""" + "\n".join(f'{step} = "done"' for step in registry.LADDER)


@pytest.mark.parametrize("name", sorted(manifests()))
def test_every_adapter_has_its_five_parts(name: str):
    loaded = adapter(name)
    folder = Path(registry.__file__).parent / "adapters" / name
    assert loaded.manifest.name == name
    for part in ("manifest.toml", "adapter.py", "decode.py", "samples"):
        assert (folder / part).exists(), part
    if loaded.manifest.quality["documented"] == "done":
        assert (folder / "README.md").exists()
    assert (loaded.poll if loaded.manifest.kind is Kind.POLLER else loaded.run) is not None


def test_the_built_in_adapters_are_found_by_their_folders():
    assert {"syslog", "snmp_trap", "snmp_poll", "icmp", "tcp", "http", "host"} <= set(manifests())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("name =", "nam ="), "name"),
        (('"listener"', '"listner"'), "listner"),
        (('samples = "done"', ""), "samples"),
        (('samples = "done"', 'samples = "perhaps"'), "samples"),
        (('samples = "done"', 'samples = "exempt"'), "samples"),
        (('zh-hans = "X"', ""), "zh-hans"),
        (("[title]", "colour = 1\n[title]"), "colour"),
        (("[title]", "[title"), "x/manifest.toml"),
    ],
)
def test_an_incomplete_manifest_is_refused(change: tuple[str, str], told: str):
    with pytest.raises(ManifestError, match=told):
        parse(WHOLE.replace(*change), "x")


def test_a_whole_manifest_is_read():
    assert parse(WHOLE, "x").kind is Kind.LISTENER


def test_an_unknown_adapter_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="syslog"):
        adapter("sysloog")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"prot": 1}, "unknown setting prot; known: host, port"),
        ({"port": "many"}, "port"),
        ({"port": None}, "port"),
        ({"tcp": "perhaps"}, "tcp"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name(given: dict[str, object], told: str):
    with pytest.raises(ConfigError, match=told):
        adapter("syslog").configured(given)


def test_text_from_the_command_line_becomes_what_the_setting_is():
    config = adapter("syslog").configured({"port": "5514", "tcp": "false", "idle_s": "1.5"})
    assert (config.port, config.tcp, config.idle_s) == (5514, False, 1.5)
    assert adapter("snmp_trap").configured({"communities": "a,b"}).communities == ("a", "b")


def test_targets_survive_on_disk_sealed_and_private(tmp_path: Path):
    path = tmp_path / "collect" / "targets.json"
    assert targets.load(path) is None
    assigned = TargetsAssigned(
        collector="local",
        version=7,
        targets=(
            Target(id="1", ci=2, adapter="tcp", interval_s=60.0, config={"port": 22}, secrets="sealed"),
        ),
    )
    targets.save(path, assigned)
    assert targets.load(path) == assigned
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"{half")
    assert targets.load(path) is None


def test_wrong_tables_of_the_settings_file_are_told_with_their_path():
    told = registry.problems(
        {
            "syslgo": {"port": 1},
            "icmp": {},
            "syslog": {"prot": 1},
            "snmp_trap": {"enabled": "false", "port": "162"},
        }
    )
    assert [each.split(":")[0] for each in told] == ["adapters.syslgo", "adapters.icmp", "adapters.syslog"]
    assert "known: host, port" in told[2]


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, True), ({"enabled": False}, False), ({"enabled": "false"}, False), ({"enabled": "true"}, True)],
)
def test_a_listener_runs_unless_it_is_switched_off(given: dict[str, object], expected: bool):  # noqa: FBT001 - a case
    assert registry.chosen({"syslog": {**given, "port": 1}}, "syslog") == (expected, {"port": 1})
