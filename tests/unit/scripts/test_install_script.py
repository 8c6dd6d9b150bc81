"""`make install` on machines that lack a part, and the second call that does nothing."""

import sys

import pytest

from scripts import install, peers


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A checkout without `.venv`, on a machine where no program works and none is found."""
    for name in (*install.LOCKS.values(), "pyproject.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "install.py").write_text("")
    venv = tmp_path / ".venv"
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", venv)
    monkeypatch.setattr(install, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(install, "_works", lambda *_command: False)
    monkeypatch.setattr(install.shutil, "which", lambda _name: None)
    return tmp_path


def test_machine_that_cannot_make_a_venv_is_told_what_to_install(empty):
    with pytest.raises(SystemExit, match="Install Debian's python3-venv, then run make again"):
        install.install("server")


def test_root_gets_the_missing_package_by_apt(empty, monkeypatch):
    called = []

    def works(*command):
        called.append([str(word) for word in command])
        return "apt-get" in command or called.count(called[-1]) > 1 or "--version" in command

    monkeypatch.setattr(install, "_works", works)
    monkeypatch.setattr(
        install.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "apt-get" else None
    )
    monkeypatch.setattr(install.os, "geteuid", lambda: 0)
    install._make_venv()
    assert ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qy", "python3-venv"] in called
    assert called[-2][:3] == [sys.executable, "-m", "venv"]


def test_ordinary_user_without_sudo_is_not_asked_for_a_password(empty, monkeypatch):
    monkeypatch.setattr(
        install.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "apt-get" else None
    )
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    assert install._install_debian_package("python3-venv") is False


def test_second_call_does_nothing_until_a_pin_changes(empty, monkeypatch):
    steps = []
    monkeypatch.setattr(install, "_make_venv", lambda: (empty / ".venv").mkdir(exist_ok=True))
    monkeypatch.setattr(install, "_pip", lambda *arguments: steps.append(arguments))
    install.install("server")
    assert len(steps) == 2
    assert {"--require-hashes", "--only-binary"} <= set(steps[0])
    install.install("server")
    assert len(steps) == 2
    (empty / "requirements.lock").write_text("changed")
    install.install("server")
    assert len(steps) == 4


def test_what_the_tests_need_holds_what_the_server_needs(empty, monkeypatch):
    steps = []
    monkeypatch.setattr(install, "_make_venv", lambda: (empty / ".venv").mkdir(exist_ok=True))
    monkeypatch.setattr(install, "_pip", lambda *arguments: steps.append(arguments))
    install.install("dev")
    install.install("server")
    assert len(steps) == 2


def test_missing_peer_is_named_and_fails_in_ci_only(monkeypatch, capsys):
    monkeypatch.setattr(peers, "missing", lambda: ["snmpd"])
    monkeypatch.setattr(peers, "_install", lambda _packages: None)
    monkeypatch.setenv("CI", "true")
    assert peers.main() == 1
    assert "apt install snmpd" in capsys.readouterr().out
    monkeypatch.delenv("CI")
    assert peers.main() == 0
