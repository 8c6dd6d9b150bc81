"""A collector that has no sockets left says nothing about devices."""

import os
import resource
import socket
from contextlib import contextmanager, suppress

import pytest

from tests.collected import Collected, device
from wardkeeper.acquisition.adapters.http import adapter as http
from wardkeeper.acquisition.adapters.snmp_poll import adapter as snmp
from wardkeeper.acquisition.adapters.tcp import adapter as tcp


@contextmanager
def no_descriptors_left():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 1, hard))
        held = []
        try:
            with suppress(OSError):
                while True:
                    held.append(os.dup(last.fileno()))
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for each in held:
                os.close(each)


@pytest.mark.parametrize(
    ("poll", "config"),
    [
        (snmp.poll, {"host": "127.0.0.1", "port": 1}),
        (tcp.poll, {"host": "127.0.0.1", "port": 1}),
        (http.poll, {"url": "http://127.0.0.1:1/"}),
    ],
    ids=["snmp_poll", "tcp", "http"],
)
async def test_collector_without_sockets_calls_no_device_unreachable(poll, config):
    emit = Collected()
    http.trusting("")  # its certificate lists are read once, at the first poll
    with no_descriptors_left():
        await poll(device(config, target="shortage"), emit)
    snmp.forget("shortage")
    assert emit.messages == []
    assert emit.counts["trouble.collector"] == 1
