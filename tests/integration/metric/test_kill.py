"""A worker and its jobs killed again and again: no sample lost, none doubled, none changed."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests import engines

pytestmark = pytest.mark.slow

HOURS = 9
KILLS = 6
WORKER = "tests.integration.metric.killed_worker"


@pytest.fixture
def database(postgres_dsn):
    """An empty database of its own: the worker really commits."""
    name = f"metric_kill_{os.getpid()}"
    with psycopg.connect(postgres_dsn, autocommit=True) as link:
        link.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield postgres_dsn.replace("@/wardkeeper", f"@/{name}", 1)
        link.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def start(dsn, *arguments):
    environment = os.environ | {"WARDKEEPER_DATABASE_DSN": dsn}
    return subprocess.Popen(
        [sys.executable, "-m", WORKER, *map(str, arguments)],
        env=environment,
        cwd=Path(engines.__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_nothing_is_lost_or_doubled_when_store_and_jobs_die_at_any_moment(database):
    with start(database, "prepare") as first:
        assert first.wait(120) == 0
    reached = 0
    for round_ in range(KILLS):
        with start(database, "work", reached, HOURS * 60) as worker:
            assert worker.stdout is not None
            # Killed at a moment that differs from round to round, while it stores and packs.
            deadline = time.monotonic() + 60
            while (line := worker.stdout.readline()) and time.monotonic() < deadline:
                reached = int(line)
                if reached >= (round_ + 1) * HOURS * 60 // (KILLS + 1):
                    time.sleep(0.013 * round_)
                    worker.send_signal(signal.SIGKILL)
                    break
            worker.wait(30)
    with start(database, "finish", reached, HOURS * 60) as last:
        assert last.stdout is not None
        report = last.stdout.read().split()
        assert last.wait(120) == 0
    assert report == ["complete"], datetime.now(UTC)
