"""`wardkeeper check` against engines that run, that do not, and settings that are wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

PROGRAM = str(Path(sys.executable).with_name("wardkeeper"))


def _check(*arguments, data, **environment):
    return _wardkeeper("check", *arguments, data=data, **environment)


def _wardkeeper(command, *arguments, data, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WARDKEEPER_")}
    return subprocess.run(
        [PROGRAM, command, "--data", str(data), *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def migrated_dsn(postgres_dsn, tmp_path_factory):
    """Address of a database of our own that `wardkeeper migrate` has prepared."""
    name = f"check_{os.getpid()}"
    with psycopg.connect(postgres_dsn, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    parts = psycopg.conninfo.conninfo_to_dict(postgres_dsn)
    dsn = (
        f"postgresql://{parts['user']}:{parts['password']}@/{name}?host={parts['host']}&port={parts['port']}"
    )
    run = _wardkeeper("migrate", data=tmp_path_factory.mktemp("data"), WARDKEEPER_DATABASE_DSN=dsn)
    assert run.returncode == 0, run.stderr
    yield dsn
    with psycopg.connect(postgres_dsn, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_installation_that_never_started_is_a_finding_with_the_next_step(tmp_path):
    run = _check(data=tmp_path / "none")
    assert run.returncode == 1
    assert "start `wardkeeper up`" in run.stdout
    assert not (tmp_path / "none").exists()


def test_wrong_setting_is_misuse_and_names_its_path(tmp_path):
    run = _check(data=tmp_path, WARDKEEPER_WEB_WORKERS="many")
    assert run.returncode == 2
    assert "web.workers (WARDKEEPER_WEB_WORKERS): 'many' is not allowed" in run.stderr
    assert run.stdout == ""


def test_everything_well_is_exit_0_and_secrets_are_masked(tmp_path, migrated_dsn, nats_url):
    run = _check(
        "--json",
        data=tmp_path,
        WARDKEEPER_DATABASE_DSN=migrated_dsn,
        WARDKEEPER_BUS_URL=nats_url,
        WARDKEEPER_BUS_PREFIX=f"check{os.getpid()}",
        WARDKEEPER_SECRET_KEY="never-shown",
    )
    told = json.loads(run.stdout)
    assert {check["name"]: check["state"] for check in told["checks"] if check["state"] != "ok"} == {}
    assert run.returncode == 0
    assert {"database", "bus", "disk", "clock", "parked", "lag"} <= {
        check["name"] for check in told["checks"]
    }
    settings = {row["path"]: row for row in told["settings"]}
    assert settings["database.dsn"] == {
        "path": "database.dsn",
        "value": "***",
        "origin": "WARDKEEPER_DATABASE_DSN",
    }
    assert settings["web.workers"]["origin"] == "default"
    assert "never-shown" not in run.stdout + run.stderr
    assert psycopg.conninfo.conninfo_to_dict(migrated_dsn)["password"] not in run.stdout + run.stderr


def test_database_without_our_tables_is_a_finding(tmp_path, postgres_dsn, nats_url):
    run = _check(data=tmp_path, WARDKEEPER_DATABASE_DSN=postgres_dsn, WARDKEEPER_BUS_URL=nats_url)
    assert run.returncode == 1
    assert "migrations are pending" in run.stdout


def test_bus_that_is_away_is_a_finding(tmp_path, migrated_dsn, free_port):
    run = _check(
        data=tmp_path,
        WARDKEEPER_DATABASE_DSN=migrated_dsn,
        WARDKEEPER_BUS_URL=f"nats://u:hunter2@127.0.0.1:{free_port()}",
        WARDKEEPER_SECRET_KEY="x",
    )
    assert run.returncode == 1
    assert "takes no connections" in run.stdout
    assert "hunter2" not in run.stdout + run.stderr


def _forget_parked(dsn):
    with psycopg.connect(dsn) as database:
        database.execute("DELETE FROM bus_parkedmessage")


def test_parked_message_is_a_finding(request, tmp_path, migrated_dsn, nats_url):
    with psycopg.connect(migrated_dsn) as database:
        database.execute(
            'INSERT INTO bus_parkedmessage ("group", message_id, topic, key, payload, error, tries)'
            " VALUES ('g', 'm', 'alarm.raised', 'k', '', 'why', 5)"
        )
    request.addfinalizer(lambda: _forget_parked(migrated_dsn))
    run = _check(
        data=tmp_path,
        WARDKEEPER_DATABASE_DSN=migrated_dsn,
        WARDKEEPER_BUS_URL=nats_url,
        WARDKEEPER_BUS_PREFIX=f"parked{os.getpid()}",
        WARDKEEPER_SECRET_KEY="x",
    )
    assert run.returncode == 1
    assert "1 failed for good" in run.stdout
