"""What the kernel drops is counted, by the socket it was dropped at."""

import socket
from pathlib import Path
from types import SimpleNamespace

from wardkeeper.acquisition.counters import kernel_drops
from wardkeeper.acquisition.sockets import listening, plain


def test_datagrams_that_find_no_room_are_counted_at_their_socket():
    anywhere = SimpleNamespace(host="127.0.0.1", port=0)
    with (
        listening("test", "udp", anywhere) as small,
        listening("other", "udp", anywhere) as other,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(200):
            sender.sendto(b"x" * 1000, small.getsockname())
        kept = 0
        try:
            while small.recv(2000):
                kept += 1
        except BlockingIOError:
            pass
        drops = kernel_drops({"small": small, "other": other})
    assert drops == {"small": 200 - kept, "other": 0}
    assert kept < 200


def test_a_socket_of_ours_has_a_wide_buffer():
    with listening("test", "udp", SimpleNamespace(host="127.0.0.1", port=0)) as bound:
        largest = int(Path("/proc/sys/net/core/rmem_max").read_text())
        assert bound.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= min(largest, 16 << 20)


def test_both_families_are_heard_on_one_socket_and_told_apart_by_their_plain_addresses():
    with (
        listening("test", "udp", SimpleNamespace(host="::", port=0)) as bound,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
    ):
        port = bound.getsockname()[1]
        four.sendto(b"4", ("127.0.0.1", port))
        six.sendto(b"6", ("::1", port))

        assert {raw: plain(address) for raw, address in (bound.recvfrom(10), bound.recvfrom(10))} == {
            b"4": "127.0.0.1",
            b"6": "::1",
        }
