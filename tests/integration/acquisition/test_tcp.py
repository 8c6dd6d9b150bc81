"""Real TCP servers that greet, are silent, refuse, close at once and talk too much."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from tests.collected import Collected, device
from wardkeeper.acquisition.adapters.tcp import adapter
from wardkeeper.acquisition.contract import ConfigError


@asynccontextmanager
async def greeting(*chunks, stays=True):
    """A server that sends the chunks one by one; gives its port."""

    async def greet(reader, writer):
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0.02)
        if stays:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def polled(port, **more):
    emit = Collected()
    await adapter.poll(device({"host": "127.0.0.1", "port": port, "timeout_s": 0.5, **more}), emit)
    return emit


async def test_open_port_is_open_with_the_time_it_took():
    async with greeting() as port:
        emit = await polled(port)
    assert (emit.last["tcp.open"], emit.last["tcp.refused"]) == (1, 0)
    assert 0 < emit.last["tcp.connect_ms"] < 500
    assert "tcp.banner_ok" not in emit.last


async def test_port_where_nobody_listens_is_refused(free_port):
    emit = await polled(free_port())
    assert (emit.last["tcp.open"], emit.last["tcp.refused"]) == (0, 1)
    assert emit.counts["trouble.refused"] == 1


async def test_port_that_never_answers_is_neither_open_nor_refused():
    with socket.socket() as full:
        # A listener whose queue is full drops further connections without a word, as a firewall does.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        holders = [socket.socket() for _ in range(4)]
        for holder in holders:
            holder.setblocking(False)
            holder.connect_ex(("127.0.0.1", port))
        emit = await polled(port)
        for holder in holders:
            holder.close()
    assert (emit.last["tcp.open"], emit.last["tcp.refused"]) == (0, 0)
    assert emit.counts["trouble.timeout"] == 1


async def test_greeting_that_comes_in_pieces_is_put_together():
    async with greeting(b"SSH-", b"2.0-Open", b"SSH_9.2\r\n") as port:
        emit = await polled(port, banner="SSH-2.0")
    assert emit.last["tcp.banner_ok"] == 1


@pytest.mark.parametrize(
    ("chunks", "stays", "reason"),
    [((), True, "no_banner"), ((), False, "no_banner"), ((b"x" * 9000,), True, "banner_too_long")],
    ids=["silent", "closes", "talks too much"],
)
async def test_service_without_its_greeting_is_open_and_not_well(chunks, stays, reason):
    async with greeting(*chunks, stays=stays) as port:
        emit = await polled(port, banner="SSH-2.0")
    assert (emit.last["tcp.open"], emit.last["tcp.banner_ok"]) == (1, 0)
    assert [each[2] for each in emit.bad] == [reason]


async def test_name_that_does_not_resolve_is_not_open():
    emit = await polled(80, host="nowhere.invalid")
    assert (emit.last["tcp.open"], emit.counts["trouble.network"]) == (0, 1)


async def test_several_ports_of_one_device_are_told_apart():
    async with greeting() as port:
        emit = await polled(port, instance="his")
    assert emit.last["tcp.open{his}"] == 1


async def test_impossible_port_is_refused_before_anything_is_sent():
    with pytest.raises(ConfigError):
        await polled(70000)
