"""A house with small stand-in roles: the supervisor is tested without waiting for the real ones.

    python stand.py DATA_DIR ROLES_FILE     ROLES_FILE is JSON, a list of Role's fields

Its ready line is "ready".
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

from wardkeeper.runtime.house import House
from wardkeeper.runtime.role import Role
from wardkeeper.settings import current, logs


def announce() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main(data_dir: str, roles_file: str) -> None:
    os.environ["WARDKEEPER_DATA"] = data_dir
    logs.configure("info")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    held.bind(("127.0.0.1", int(os.environ.get("WARDKEEPER_TEST_UDP", "0"))))
    handed = {"WARDKEEPER_SOCKETS": json.dumps({"syslog:udp": held.fileno()})}
    given = json.loads(Path(roles_file).read_text())
    roles = [
        Role(**{**each, "command": tuple(each["command"])}, env=handed, pass_fds=(held.fileno(),))
        for each in given
    ]
    with House(current(), roles=lambda _: roles, setup=lambda: 0) as house:
        house.run(on_ready=announce)


if __name__ == "__main__":
    main(*sys.argv[1:])
