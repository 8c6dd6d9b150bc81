"""Where a setting comes from, and how a wrong one is refused."""

import os
import stat
from pathlib import Path

import pytest

from wardkeeper.settings import SettingsError, ensure_secret_key, explain, load
from wardkeeper.settings.load import known
from wardkeeper.settings.value import FORMS


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("WARDKEEPER_"):
            monkeypatch.delenv(name)


def _refusal(data: Path, text: str) -> str:
    (data / "wardkeeper.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(data=data)
    return str(caught.value)


def test_without_file_or_environment_every_setting_has_its_default(tmp_path):
    loaded = explain(data=tmp_path)
    assert loaded.settings.web.listen == "127.0.0.1:8000"
    assert loaded.settings.data_dir == tmp_path
    assert loaded.settings.secret_key == ""
    assert loaded.origins == {}


def test_file_in_the_data_directory_is_read_and_named_as_origin(tmp_path):
    file = tmp_path / "wardkeeper.toml"
    file.write_text('[web]\nlisten = "0.0.0.0:80"\nworkers = 4\nhosts = ["ops.example"]\n')
    loaded = explain(data=tmp_path)
    assert loaded.settings.web.listen == "0.0.0.0:80"
    assert loaded.settings.web.hosts == ("ops.example",)
    assert loaded.origins["web.workers"] == str(file)


def test_named_file_wins_over_the_one_in_the_data_directory(tmp_path, monkeypatch):
    (tmp_path / "wardkeeper.toml").write_text("[web]\nworkers = 4\n")
    named = tmp_path / "named.toml"
    named.write_text("[web]\nworkers = 7\n")
    assert load(config=named, data=tmp_path).web.workers == 7
    monkeypatch.setenv("WARDKEEPER_CONFIG", str(named))
    assert load(data=tmp_path).web.workers == 7


def test_environment_wins_over_the_file(tmp_path, monkeypatch):
    (tmp_path / "wardkeeper.toml").write_text("[web]\nworkers = 4\nbehind_tls = false\n")
    monkeypatch.setenv("WARDKEEPER_WEB_WORKERS", "8")
    monkeypatch.setenv("WARDKEEPER_WEB_BEHIND_TLS", "yes")
    monkeypatch.setenv("WARDKEEPER_WEB_HOSTS", "a.example, b.example")
    loaded = explain(data=tmp_path)
    assert (loaded.settings.web.workers, loaded.settings.web.behind_tls) == (8, True)
    assert loaded.settings.web.hosts == ("a.example", "b.example")
    assert loaded.origins["web.workers"] == "WARDKEEPER_WEB_WORKERS"


def test_secret_is_read_from_the_file_that_a_variable_names(tmp_path, monkeypatch):
    secret = tmp_path / "dsn"
    secret.write_text("postgresql://u:p@db/wardkeeper\n")
    monkeypatch.setenv("WARDKEEPER_DATABASE_DSN_FILE", str(secret))
    loaded = explain(data=tmp_path)
    assert loaded.settings.database.dsn == "postgresql://u:p@db/wardkeeper"
    assert loaded.origins["database.dsn"] == "WARDKEEPER_DATABASE_DSN_FILE"


def test_value_given_outright_wins_over_the_file_variable(tmp_path, monkeypatch):
    (tmp_path / "dsn").write_text("postgresql://from-file/wardkeeper")
    monkeypatch.setenv("WARDKEEPER_DATABASE_DSN_FILE", str(tmp_path / "dsn"))
    monkeypatch.setenv("WARDKEEPER_DATABASE_DSN", "postgresql://outright/wardkeeper")
    assert load(data=tmp_path).database.dsn == "postgresql://outright/wardkeeper"


def test_secret_file_named_in_the_settings_file_is_relative_to_it(tmp_path):
    (tmp_path / "dsn").write_text("postgresql://u:p@db/wardkeeper\n")
    (tmp_path / "wardkeeper.toml").write_text('[database]\ndsn_file = "dsn"\n')
    assert load(data=tmp_path).database.dsn == "postgresql://u:p@db/wardkeeper"


def test_adapter_tables_are_handed_on_as_they_are(tmp_path, monkeypatch):
    (tmp_path / "wardkeeper.toml").write_text("[adapters.syslog]\nport = 514\nenabled = false\n")
    monkeypatch.setenv("WARDKEEPER_ADAPTERS_SNMP_TRAP__PORT", "10162")
    monkeypatch.setenv("WARDKEEPER_ADAPTERS_SNMP_TRAP__HOST", "0.0.0.0")  # noqa: S104 - only text here
    adapters = load(data=tmp_path).adapters
    assert adapters["syslog"] == {"port": 514, "enabled": False}
    assert adapters["snmp_trap"] == {"port": 10162, "host": "0.0.0.0"}  # noqa: S104 - only text here


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[web]\nlisen = 'x:1'", "web.lisen in {file}: there is no such setting; did you mean web.listen?"),
        ("[wbe]\nlisten = 'x:1'", "wbe.listen in {file}: there is no such setting; the sections are"),
        (
            "[web]\nworkers = 0",
            "web.workers in {file}: 0 is not allowed; it takes a whole number from 1 to 64",
        ),
        ("[web]\nworkers = true", "True is not allowed; it takes a whole number from 1 to 64"),
        ("[web]\nworkers = '2'", "'2' is not allowed; it takes a whole number from 1 to 64"),
        ("[web]\nbehind_tls = 1", "1 is not allowed; it takes true or false"),
        ("[web]\nhosts = 'a'", "'a' is not allowed; it takes a list of texts"),
        ("[web]\nlisten = '8000'", "it takes HOST:PORT"),
        ("[web]\nlisten = 'a:70000'", "it takes HOST:PORT"),
        ("[log]\nlevel = 'loud'", "'loud' is not allowed; it takes one of debug, info, warning, error"),
        ("[site]\ntimezone = 'Mars/Olympus'", "it takes an IANA time zone"),
        ("[bus]\nurl = 'http://x'", "it takes nats://"),
        ("data_dir = '/x'", "data_dir is --data or WARDKEEPER_DATA"),
        ("[adapters]\nsyslog = 3", "wants one table an adapter"),
        ("[web", "not TOML"),
        ("[database]\ndsn_file = 'nowhere'", "nowhere cannot be read"),
    ],
)
def test_a_wrong_line_is_refused_with_its_path_and_what_is_allowed(tmp_path, text, said):
    refusal = _refusal(tmp_path, text)
    assert said.format(file=tmp_path / "wardkeeper.toml") in refusal
    assert str(tmp_path / "wardkeeper.toml") in refusal


def test_a_refused_secret_is_not_repeated(tmp_path):
    assert "hunter2" not in _refusal(tmp_path, "[database]\ndsn = 'mysql://u:hunter2@db/x'")


def test_every_mistake_is_named_at_once(tmp_path):
    refusal = _refusal(tmp_path, "[web]\nworkers = 0\nlisen = ''\n[log]\nlevel = 1\n")
    assert len(refusal.splitlines()) == 3


def test_unknown_variable_is_refused_with_the_nearest(tmp_path, monkeypatch):
    monkeypatch.setenv("WARDKEEPER_DATABSE_DSN", "x")
    with pytest.raises(SettingsError, match="did you mean WARDKEEPER_DATABASE_DSN"):
        load(data=tmp_path)


def test_missing_named_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load(config=tmp_path / "nowhere.toml", data=tmp_path)


def test_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path):
    data = tmp_path / "new"
    first = ensure_secret_key(data)
    assert len(first) >= 50
    assert ensure_secret_key(data) == first
    assert load(data=data).secret_key == first
    assert stat.S_IMODE((data / "secret.key").stat().st_mode) == 0o600
    assert [file.name for file in data.iterdir()] == ["secret.key"]


def test_secret_key_of_the_environment_wins_and_makes_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("WARDKEEPER_SECRET_KEY", "given")
    assert ensure_secret_key(tmp_path) == "given"
    assert not (tmp_path / "secret.key").exists()


def test_secret_key_that_others_may_read_is_closed_to_them(tmp_path):
    (tmp_path / "secret.key").write_text("known")
    (tmp_path / "secret.key").chmod(0o644)
    assert ensure_secret_key(tmp_path) == "known"
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_every_setting_has_a_meaning_and_a_default_that_it_would_accept():
    for path, entry in known().items():
        rules = entry.field.metadata
        assert rules.get("help"), f"{path} has no help"
        if "form" in rules:
            assert FORMS[rules["form"]][1](entry.field.default), f"{path} would refuse its own default"
        if "choices" in rules:
            assert entry.field.default in rules["choices"]
