"""The devices' process, for all tests of this folder."""

import os
import signal
import subprocess
import sys

import pytest

# Before anything here imports the devices; a demo may be running on this machine.
os.environ["WARDKEEPER_INTERNAL_DEMO_SHIFT"] = str(1000 + os.getpid() % 20_000)


@pytest.fixture(scope="session")
def devices(tmp_path_factory):
    """The devices as the supervisor starts them; gives their data directory."""
    data = tmp_path_factory.mktemp("demo")
    reader, writer = os.pipe()
    env = os.environ | {"WARDKEEPER_DATA": str(data), "WARDKEEPER_INTERNAL_READY_FD": str(writer)}
    process = subprocess.Popen(
        [sys.executable, "-m", "wardkeeper", "run", "demo"],
        env=env,
        pass_fds=(writer,),
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    try:
        assert os.read(reader, 1) == b"1", process.stderr.read().decode()
        yield data
    finally:
        os.close(reader)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not (data / "demo" / "devices.json").exists()


@pytest.fixture
def broken(devices):
    """A function that breaks a device; everything is mended behind the test."""
    made = []

    def do(key, fault):
        path = devices / "demo" / "faults" / f"{key}.{fault}"
        path.touch()
        made.append(path)

    yield do
    for path in made:
        path.unlink(missing_ok=True)
