"""What /readyz and `wardkeeper check` are told."""

import os
import signal
import sys
import time
from dataclasses import replace

import psycopg
import pytest

from tests.integration.runtime.conftest import sleeper, wait_for
from wardkeeper.runtime import fingerprint, health
from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres
from wardkeeper.runtime.status import StatusFile
from wardkeeper.settings import current


def settings_of(data_dir):
    """As a role of that house has them; its database passes for migrated."""
    base = current()
    return replace(
        base,
        data_dir=data_dir,
        database=replace(base.database, dsn=EmbeddedPostgres(data_dir).dsn),
        bus=replace(base.bus, url=EmbeddedNats(data_dir).url),
    )


def pass_for_migrated(dsn):
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE django_migrations ()")
    fingerprint.record(dsn, fingerprint.of_migrations())


def states(report):
    return {check.name: check.state for check in report.checks}


@pytest.fixture
def stand(launch):
    running = launch(sleeper("work"), sleeper("collect"))
    running.wait_ready()
    pass_for_migrated(EmbeddedPostgres(running.data_dir).dsn)
    return running


def test_everything_up_is_ok(stand):
    report = health.report(settings_of(stand.data_dir))
    assert report.ok
    assert not report.degraded
    assert report.reasons == ()
    assert set(states(report)) == {
        "database",
        "bus",
        "disk",
        "supervisor",
        "postgres",
        "nats",
        "work",
        "collect",
    }


def test_dead_role_is_down_until_it_is_back(launch):
    once = (
        "import os, sys, time\nos.path.exists('again') and time.sleep(600)\nopen('again', 'w')\ntime.sleep(3)"
    )
    stand = launch(sleeper("work"), {"name": "collect", "command": [sys.executable, "-S", "-c", once]})
    stand.wait_ready()
    pass_for_migrated(EmbeddedPostgres(stand.data_dir).dsn)
    settings = settings_of(stand.data_dir)
    assert health.report(settings).ok
    os.kill(stand.role_pid("collect"), signal.SIGKILL)
    wait_for(lambda: states(health.report(settings))["collect"] == "down")
    assert not health.report(settings).ok
    wait_for(lambda: health.report(settings).ok)


def test_pending_migrations_are_down(launch):
    stand = launch(sleeper("work"))
    stand.wait_ready()
    report = health.report(settings_of(stand.data_dir))
    assert states(report)["database"] == "down"
    assert any("migrations are pending" in reason for reason in report.reasons)


def test_mute_engines_are_down_and_told_without_the_password(data_dir, free_port):
    settings = replace(
        current(),
        data_dir=data_dir,
        database=replace(current().database, dsn=f"postgresql://u:secret-word@127.0.0.1:{free_port()}/w"),
        bus=replace(current().bus, url=f"nats://u:secret-word@127.0.0.1:{free_port()}"),
    )
    report = health.report(settings)
    assert states(report)["database"] == states(report)["bus"] == "down"
    assert not any("secret-word" in reason for reason in report.reasons)


def test_silent_supervisor_is_down(stand, monkeypatch):
    later = time.time() + 60
    monkeypatch.setattr(health.time, "time", lambda: later)
    assert states(health.report(settings_of(stand.data_dir)))["supervisor"] == "down"


def test_low_disk_is_degraded_but_ok(stand, monkeypatch):
    monkeypatch.setattr(health, "DISK_LOW_BYTES", 1 << 60)
    report = health.report(settings_of(stand.data_dir))
    assert report.ok
    assert report.degraded
    assert "make room" in report.reasons[0]


def test_stopped_house_leaves_no_status(stand):
    stand.stop()
    assert StatusFile(stand.data_dir).read() is None
