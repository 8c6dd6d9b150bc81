"""A full disk is told, stops nothing that was acknowledged, and is over when there is room again."""

import contextlib
import os
import shutil
import subprocess
from dataclasses import replace

import nats
import psycopg
import pytest

from tests.integration.runtime.conftest import sleeper, wait_for
from wardkeeper.runtime import health
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres
from wardkeeper.settings import current

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system"),
]


@pytest.fixture
def small_disk(data_dir):
    """A file system of 768 MB of its own."""
    folder = data_dir / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=768m,mode=0711", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def ballast(small_disk):
    """Fills the disk, and gives it back."""
    file = small_disk / "ballast"

    class Ballast:
        def load(self, *, leave_mb=0):
            with contextlib.suppress(OSError), file.open("ab", buffering=0) as sink:
                while shutil.disk_usage(small_disk).free > leave_mb << 20:
                    sink.write(bytes(1 << 20 if leave_mb else 4096))

        def drop(self):
            file.unlink(missing_ok=True)

    return Ballast()


def insert_until_refused(dsn, limit):
    """Numbers that the database acknowledged before it could not any more."""
    acknowledged = []
    with contextlib.suppress(psycopg.Error), psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(limit):
            connection.execute("INSERT INTO kept VALUES (%s, repeat(md5(%s), 3000))", [number, str(number)])
            acknowledged.append(number)
    return acknowledged


async def publish_until_refused(url, *, first=0, limit):
    acknowledged = []
    client = await nats.connect(url, allow_reconnect=False)
    stream = client.jetstream(timeout=2)
    for number in range(first, limit):
        try:
            await stream.publish("kept.one", str(number).encode().ljust(200_000))
        except (nats.errors.Error, TimeoutError):
            break
        acknowledged.append(number)
    with contextlib.suppress(nats.errors.Error):
        await client.close()
    return acknowledged


async def stored_messages(url):
    client = await nats.connect(url)
    consumer = await client.jetstream().pull_subscribe("kept.>", "reader")
    found = []
    with contextlib.suppress(nats.errors.TimeoutError):
        while batch := await consumer.fetch(100, timeout=2):
            found += [int(message.data) for message in batch]
    await client.close()
    return found


async def test_full_disk_degrades_loses_nothing_acknowledged_and_passes(launch, small_disk, ballast):
    stand = launch(sleeper("work"), folder=small_disk)
    stand.wait_ready()
    dsn, url = EmbeddedPostgres(stand.data_dir).dsn, EmbeddedNats(stand.data_dir).url
    settings = replace(
        current(),
        data_dir=stand.data_dir,
        database=replace(current().database, dsn=dsn),
        bus=replace(current().bus, url=url),
    )
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept (n integer, filling text)")
    client = await nats.connect(url)
    await client.jetstream().add_stream(name="kept", subjects=["kept.>"])
    await client.close()
    assert not health.report(settings).degraded

    ballast.load(leave_mb=40)
    assert any("disk" in reason for reason in health.report(settings).reasons)
    assert health.report(settings).degraded
    messages = await publish_until_refused(url, limit=60)  # some 12 MB
    rows = insert_until_refused(dsn, limit=20_000)
    messages += await publish_until_refused(url, first=60, limit=2_000)
    ballast.load()
    assert stand.process.poll() is None

    ballast.drop()
    wait_for(
        lambda: (
            all(engine["state"] == "up" for engine in stand.facts()["engines"].values())
            and EmbeddedPostgres(stand.data_dir).answers()
            and EmbeddedNats(stand.data_dir).answers()
        ),
        within_s=90,
        what="both engines back",
    )
    with psycopg.connect(dsn) as connection:
        found = {n for (n,) in connection.execute("SELECT n FROM kept").fetchall()}
        connection.execute("INSERT INTO kept VALUES (-1, '')")
    assert 0 < len(rows) < 20_000
    assert 0 < len(messages) < 2_000
    assert set(rows) <= found
    assert set(messages) <= set(await stored_messages(EmbeddedNats(stand.data_dir).url))
    assert not health.report(settings).degraded
    print(f"acknowledged on a full disk: {len(rows)} rows, {len(messages)} messages")
