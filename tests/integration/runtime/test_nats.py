"""The embedded NATS: loopback, credentials, disk, and how it comes back."""

import os
import signal
import socket
import stat
from urllib.parse import urlsplit

import nats
import pytest

from tests.integration.runtime.conftest import wait_for
from wardkeeper.runtime.engine import Pulse
from wardkeeper.runtime.errors import EngineError
from wardkeeper.runtime.nats import EmbeddedNats, probe


@pytest.fixture
def engine(data_dir):
    with EmbeddedNats(data_dir / "house") as server:
        yield server


async def test_acknowledged_message_survives_a_kill(engine):
    client = await nats.connect(engine.url)
    stream = client.jetstream()
    await stream.add_stream(name="kept", subjects=["kept.>"])
    for number in range(20):
        await stream.publish("kept.one", str(number).encode())
    os.kill(engine.pid, signal.SIGKILL)
    await client.close()
    wait_for(lambda: engine.pid is None)
    engine.stop()
    address = engine.start()
    client = await nats.connect(address)
    assert (await client.jetstream().stream_info("kept")).state.messages == 20
    await client.close()


async def test_server_syncs_always_and_takes_eight_megabytes(engine):
    client = await nats.connect(engine.url)
    assert client.max_payload == 8 << 20
    await client.close()
    assert "sync_interval: always" in (engine.folder / "nats.conf").read_text()


async def test_only_the_password_opens_the_door(engine):
    assert probe(urlsplit(engine.url).port, "guessed") is Pulse.BROKEN
    with pytest.raises(nats.errors.Error):
        await nats.connect(engine.url.replace(engine.password, "guessed"), allow_reconnect=False)


def test_files_with_the_password_are_closed_to_others(engine):
    for name in ("password", "nats.conf"):
        assert stat.S_IMODE((engine.folder / name).stat().st_mode) == 0o600


def test_port_is_kept_while_it_is_free(engine):
    port = urlsplit(engine.url).port
    engine.stop()
    assert urlsplit(engine.start()).port == port
    engine.stop()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        other = EmbeddedNats(engine.data_dir)
        with other:
            assert urlsplit(other.url).port != port
            assert other.is_healthy()


def test_restarted_server_keeps_the_address_that_roles_know_or_fails(engine):
    port = urlsplit(engine.url).port
    engine.stop()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        with pytest.raises(EngineError):
            engine.start()
    assert urlsplit(engine.start()).port == port
