"""Prepares `.venv` for `make install`: the hashed pins with pip, then this package itself. Standard library only.

    python3 scripts/install.py server     what `wardkeeper up` needs
    python3 scripts/install.py dev        and the tools and libraries of the tests

Works as root and as an ordinary user, needs no compiler (every pin has a wheel), and does nothing at all
when what is asked for is already there.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"server": "requirements.lock", "dev": "requirements-dev.lock"}
NEWEST_KNOWN = (3, 14)


def _stamp(level: str) -> Path:
    return VENV / f".installed-{level}"


def _wanted(level: str) -> str:
    """Changes whenever an installation of `level` would change."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in (LOCKS[level], "pyproject.toml", "scripts/install.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _may_use_apt() -> list[str] | None:
    """The words before `apt-get`, or None where this user may not install."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    allowed = sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    return ["sudo", "-n"] if allowed else None


def _make_venv() -> None:
    """With the standard library where Debian has put all of it; each step back is for a machine that lacks a part."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return
    quiet = {"capture_output": True, "check": False}
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], **quiet).returncode == 0:
        return
    apt = _may_use_apt()
    if apt is not None:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*apt, "apt-get", "update", "-q"], env=environment, stdout=subprocess.DEVNULL, check=False)
        subprocess.run([*apt, "apt-get", "install", "-qy", "python3-venv"], env=environment, stdout=subprocess.DEVNULL, check=False)
        if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], **quiet).returncode == 0:
            return
    virtualenv = shutil.which("virtualenv")
    if virtualenv and subprocess.run([virtualenv, "-q", "-p", sys.executable, str(VENV)], **quiet).returncode == 0:
        return
    uv = shutil.which("uv")
    if uv and subprocess.run([uv, "venv", "-q", "--seed", "-p", sys.executable, str(VENV)], **quiet).returncode == 0:
        return
    raise SystemExit("This Python cannot make virtual environments. Install Debian's python3-venv, then run make again.")


def _pip(*arguments: str) -> None:
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise SystemExit("pip could not install the pinned packages (see above). Is a package index within reach?")


def install(level: str) -> None:
    wanted = _wanted(level)
    stamp = _stamp(level)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Preparing .venv for {level} ...", flush=True)
    _make_venv()
    # The lock is complete, so pip need not look for dependencies; only wheels, so no compiler is ever asked for.
    _pip("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", LOCKS[level])
    _pip("--no-deps", "--no-build-isolation", "--no-index", "-e", ".")
    stamp.write_text(wanted)


def main() -> int:
    level = sys.argv[1] if len(sys.argv) > 1 else "server"
    if level not in LOCKS:
        raise SystemExit(f"unknown {level!r}: server or dev")
    if sys.version_info < (3, 11):
        raise SystemExit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    install(level)
    return 0


if __name__ == "__main__":
    sys.exit(main())
