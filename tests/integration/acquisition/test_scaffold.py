"""What `wardkeeper new adapter` writes runs, passes its own tests, and meets the house's rules."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wardkeeper.acquisition.registry import parse

ROOT = Path(__file__).resolve().parents[3]


def wardkeeper(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wardkeeper", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("kind", ["listener", "poller"])
def test_a_new_adapter_is_whole(tmp_path: Path, kind: str):
    extra = ["--poller"] if kind == "poller" else []
    made = wardkeeper(
        "new", "adapter", "door_lock", "--into", str(tmp_path), "--port", "9997", *extra, cwd=tmp_path
    )
    assert made.returncode == 0, made.stderr
    assert 'door_lock = "wardkeeper_door_lock"' in made.stdout
    folder = tmp_path / "wardkeeper_door_lock"
    parts = {"manifest.toml", "adapter.py", "decode.py", "README.md", "samples"}
    assert parts <= {path.name for path in folder.iterdir()}
    manifest = parse((folder / "manifest.toml").read_text("utf-8"), "wardkeeper_door_lock")
    assert (manifest.name, manifest.kind, manifest.title["en"]) == ("door_lock", kind, "Door lock")

    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    tested = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:django",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            str(tmp_path),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
    for command in (["check"], ["format", "--check"]):
        checked = subprocess.run(
            ["ruff", *command, "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(folder)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout


def test_a_new_listener_hears_its_sample_through_the_entry_point(tmp_path: Path, free_port):
    assert wardkeeper("new", "adapter", "door_lock", "--into", str(tmp_path), cwd=tmp_path).returncode == 0
    about = tmp_path / "wardkeeper_door_lock-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: wardkeeper-door-lock\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[wardkeeper.adapters]\ndoor_lock = wardkeeper_door_lock\n")
    port = free_port()
    trying = subprocess.Popen(
        [sys.executable, "-m", "wardkeeper", "adapter", "try", "door_lock", f"port={port}", "count=1"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert trying.stderr is not None
        assert "listening" in trying.stderr.readline()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while trying.poll() is None:
                sender.sendto(b"state=open who=13812345678", ("127.0.0.1", port))
                try:
                    trying.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
        said, _ = trying.communicate(timeout=10)
    finally:
        if trying.poll() is None:
            trying.kill()
            trying.wait()
    assert '"fields": {"state": "open", "who": "[removed]"}' in said


@pytest.mark.parametrize(
    ("name", "told"), [("Door-Lock", "lower-case"), ("syslog", "already"), ("9lives", "lower-case")]
)
def test_a_wrong_name_is_refused_and_nothing_written(tmp_path: Path, name: str, told: str):
    made = wardkeeper("new", "adapter", name, "--into", str(tmp_path), cwd=tmp_path)
    assert made.returncode == 2
    assert told in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path):
    assert wardkeeper("new", "adapter", "door_lock", "--into", str(tmp_path), cwd=tmp_path).returncode == 0
    again = wardkeeper("new", "adapter", "door_lock", "--into", str(tmp_path), cwd=tmp_path)
    assert again.returncode == 2
    assert "already" in again.stderr
