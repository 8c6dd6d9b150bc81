import os
import signal
import subprocess
import sys

import pytest

from tests.integration.runtime.conftest import wait_for
from wardkeeper.runtime import child
from wardkeeper.runtime.datadir import Lock

_IMPORTS = "import os, sys, signal, time\nfrom wardkeeper.runtime import child\n"


def in_a_process_of_its_own(code, *arguments):
    """Forking wants a process without threads, which a test run is not."""
    return subprocess.run(
        [sys.executable, "-c", _IMPORTS + code, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("return 0", 0),
        ("return 7", 7),
        ("sys.exit(3)", 3),
        ("raise ValueError('told')", 1),
        ("os.abort()", -6),
    ],
)
def test_forked_child_ends_with_the_status_of_its_call(body, status):
    done = in_a_process_of_its_own(
        f"def call():\n    {body}\nsys.exit(100 + child.fork(call, name='wk-x').wait())"
    )
    assert done.returncode == 100 + status
    assert ("told" in done.stderr) == ("told" in body)


def test_forked_child_never_returns_into_its_parents_code():
    done = in_a_process_of_its_own("child.fork(lambda: 0, name='wk-x').wait()\nprint('once')")
    assert done.stdout == "once\n"


def test_forked_child_has_a_session_and_a_name_of_its_own():
    code = "print(os.getsid(0) == os.getpid(), open('/proc/self/comm').read().strip())"
    done = in_a_process_of_its_own(
        f"def call():\n    {code}\n    return 0\nchild.fork(call, name='wk-web').wait()"
    )
    assert done.stdout == "True wk-web\n"


def test_forked_child_does_not_inherit_the_lock(tmp_path):
    """One that outlives its parent must not keep the data directory in use."""
    code = (
        "from pathlib import Path\nfrom wardkeeper.runtime.datadir import Lock\n"
        "lock = Lock(Path(sys.argv[1]))\nassert lock.take()\n"
        "def call():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(60)\n    return 0\n"
        "print(child.fork(call, name='wk-x', output=open(os.devnull, 'wb')).pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = in_a_process_of_its_own(code + "\n", str(tmp_path / "lock"))
    orphan = int(done.stdout)
    try:
        os.kill(orphan, 0)
        lock = Lock(tmp_path / "lock")
        assert lock.take()
        lock.release()
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_ending_strangers_leaves_a_reused_number_alone():
    stranger = subprocess.Popen(["sleep", "600"])
    gone = subprocess.Popen(["true"])
    gone.wait()
    child.end_strangers([gone.pid], steps=((signal.SIGTERM, 1.0),))
    assert stranger.poll() is None
    child.end_strangers([stranger.pid], steps=((signal.SIGTERM, 2.0),))
    wait_for(lambda: stranger.poll() is not None)
