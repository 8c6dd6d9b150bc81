"""Prepares `.venv` for `make install`: the hashed pins with pip, then this package itself.

    python3 scripts/install.py server     what `wardkeeper up` needs
    python3 scripts/install.py dev        and the tools and libraries of the tests

Standard library only. Works as root and as an ordinary user, needs no compiler (every pin has a wheel),
and does nothing at all when what is asked for is already there.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"server": "requirements.lock", "dev": "requirements-dev.lock"}
OLDEST = (3, 11)


def _wanted(level: str) -> str:
    """Changes whenever an installation of `level` would change."""
    digest = hashlib.sha256(f"{ROOT} {sys.version_info[:2]}".encode())
    for name in (LOCKS[level], "pyproject.toml", "scripts/install.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _works(*command: str | Path) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _ways_to_make_a_venv() -> Iterator[list[str]]:
    """The standard library first; each further way is for a machine that lacks a part of it."""
    standard = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    yield standard
    # Debian splits ensurepip off into python3-venv.
    if _install_debian_package("python3-venv"):
        yield standard
    for program, arguments in (
        ("virtualenv", ["--clear", "-q"]),
        ("uv", ["venv", "-q", "--seed", "--clear"]),
    ):
        if found := shutil.which(program):
            yield [found, *arguments, "-p", sys.executable, str(VENV)]


def _install_debian_package(name: str) -> bool:
    if not shutil.which("apt-get"):
        return False
    prefix = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() != 0:
        if not (shutil.which("sudo") and _works("sudo", "-n", "true")):
            return False
        prefix = ["sudo", "-n", *prefix]
    _works(*prefix, "apt-get", "update", "-q")
    return _works(*prefix, "apt-get", "install", "-qy", name)


def _make_venv() -> None:
    if PYTHON.exists() and _works(PYTHON, "-m", "pip", "--version"):
        return
    for command in _ways_to_make_a_venv():
        if _works(*command) and _works(PYTHON, "-m", "pip", "--version"):
            return
    raise SystemExit(
        "This Python cannot make virtual environments. Install Debian's python3-venv, then run make again."
    )


def _pip(*arguments: str) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--root-user-action=ignore"]
    command = [str(PYTHON), "-m", "pip", "install", *options, *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise SystemExit(
            "pip could not install the pinned packages (see above). Is a package index within reach?"
        )


def install(level: str) -> None:
    wanted, stamp = _wanted(level), VENV / f".installed-{level}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Preparing .venv for {level} ...", flush=True)
    _make_venv()
    # The lock is complete, so pip need not look for dependencies; only wheels, so no compiler is asked for.
    _pip("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", LOCKS[level])
    _pip("--no-deps", "--no-build-isolation", "--no-index", "-e", ".")
    stamp.write_text(wanted)
    if level == "dev":  # it holds everything that `server` asks for
        (VENV / ".installed-server").write_text(_wanted("server"))


def main() -> int:
    level = sys.argv[1] if len(sys.argv) > 1 else "server"
    if level not in LOCKS:
        raise SystemExit(f"unknown {level!r}: server or dev")
    if sys.version_info[:2] < OLDEST:
        raise SystemExit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    install(level)
    return 0


if __name__ == "__main__":
    sys.exit(main())
