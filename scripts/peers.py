"""Installs the real programs that the tests talk to, with apt where this user may, else names them.

python3 scripts/peers.py
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PEERS = {
    # program or file: Debian package
    "snmpd": "snmpd",
    "snmptrap": "snmp",
    "snmptrapd": "snmptrapd",
    "chromium": "chromium",
    "victoria-metrics": "victoria-metrics",
    "node": "nodejs",
    "npm": "npm",
    "logger": "bsdutils",
    "openssl": "openssl",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
}
SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin"


def missing() -> list[str]:
    """Debian packages of the programs that are not here."""
    path = os.environ.get("PATH", "") + ":" + SYSTEM_FOLDERS
    return sorted(
        package
        for thing, package in PEERS.items()
        if not (Path(thing).exists() if thing.startswith("/") else shutil.which(thing, path=path))
    )


def _apt() -> list[str] | None:
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    return None


def _install(packages: list[str]) -> None:
    apt = _apt()
    if apt is None:
        return
    print(f"Installing for the tests: {' '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update", "-q"], env=environment, stdout=subprocess.DEVNULL, check=False)
    subprocess.run(
        [*apt, "install", "-qy", "--no-install-recommends", *packages],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=False,
    )


def main() -> int:
    packages = missing()
    if packages:
        _install(packages)
    left = missing()
    if left:
        print(f"Missing for some tests, which will be skipped (apt install {' '.join(left)})", flush=True)
        return 1 if os.environ.get("CI") == "true" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
