"""A backup restored into an empty directory holds the same, and nothing that was tampered with is restored."""

import hashlib
import json
import os
import stat
import subprocess
import sys
import tarfile
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests import engines
from wardkeeper.runtime.backup import verify
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.runtime.postgres import EmbeddedPostgres

pytestmark = pytest.mark.slow

STRANGE = """
CREATE TABLE strange (id bigserial PRIMARY KEY, name text UNIQUE, raw bytea, at timestamptz, tags text[], facts jsonb);
INSERT INTO strange (name, raw, at, tags, facts)
SELECT '打印机 ' || n, decode(md5(n::text), 'hex'), '2026-11-22 08:00+08'::timestamptz + n * interval '1 second',
       ARRAY['断网', E'a\\nb', NULL], jsonb_build_object('n', n, '中', 'é')
FROM generate_series(1, 5000) AS n;
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append only'; END $$;
CREATE TRIGGER never BEFORE UPDATE OR DELETE ON strange FOR EACH ROW EXECUTE FUNCTION never();
"""


def wardkeeper(*words, data, status=0, **variables):
    env = {name: value for name, value in os.environ.items() if not name.startswith("WARDKEEPER_")}
    done = subprocess.run(
        [sys.executable, "-m", "wardkeeper", *map(str, words), "--data", str(data)],
        env={**env, **variables},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


def contents(dsn):
    """Every table's rows as sorted text, and every sequence's, constraint's, trigger's and index's definition.

    An index by its name: PostgreSQL writes a restored condition with other casts.
    """
    found: dict[str, Any] = {}
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.SQL(table))
            rows = connection.execute(query).fetchall()
            found[table] = hashlib.sha256(repr(rows).encode()).hexdigest(), len(rows)
        for name, definitions in {
            "sequences": "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2",
            "indexes": "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
            "constraints": "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2",
            "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
            "mark": "SELECT obj_description(to_regclass('django_migrations'))",
        }.items():
            found[name] = connection.execute(definitions).fetchall()
    return found


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A house that has been set up and used, its backup, and what the database held."""
    with engines.folder() as folder:
        house = folder / "house"
        wardkeeper("setup", data=house)
        (house / "wardkeeper.toml").write_text('[site]\nname = "第一医院"\n')
        attachments = house / "attachments" / "ab"
        attachments.mkdir(parents=True)
        (attachments / ("ab" + "0" * 62)).write_bytes(os.urandom(3 << 20))
        (attachments / ("ab" + "1" * 62)).write_bytes(b"")
        with EmbeddedPostgres(house) as postgres:
            with psycopg.connect(postgres.dsn) as connection:
                connection.execute(STRANGE)
            held = contents(postgres.dsn)
        file = folder / "all.backup"
        wardkeeper("backup", file, data=house)
        yield house, file, held


def test_restored_house_holds_the_same(source, data_dir):
    house, file, held = source
    target = data_dir / "restored"
    told = wardkeeper("restore", file, data=target)
    with EmbeddedPostgres(target) as postgres:
        assert contents(postgres.dsn) == held
    assert held["strange"][1] == 5000
    assert len(held) > 40
    assert files(target / "attachments") == files(house / "attachments")
    for name in ("wardkeeper.toml", "secret.key"):
        assert (target / name).read_bytes() == (house / name).read_bytes()
    assert stat.S_IMODE((target / "secret.key").stat().st_mode) == 0o600
    assert "set them again" not in told.stdout
    assert not {"restoring", "database.dump"} & {path.name for path in target.iterdir()}


def test_file_is_for_its_owner_only_and_is_never_overwritten(source):
    house, file, _ = source
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"{file} exists" in wardkeeper("backup", file, data=house, status=2).stderr


def test_restore_refuses_a_directory_that_holds_anything(source, data_dir):
    _, file, _ = source
    target = data_dir / "used"
    target.mkdir()
    (target / "note").touch()
    assert "is not empty" in wardkeeper("restore", file, data=target, status=2).stderr


def test_restore_refuses_one_changed_bit_and_leaves_nothing(source, data_dir):
    _, file, _ = source
    damaged = data_dir / "damaged.backup"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    target = data_dir / "target"
    said = wardkeeper("restore", damaged, data=target, status=2).stderr
    assert "is damaged" in said or "backup" in said
    assert not target.exists() or not any(target.iterdir())


@pytest.mark.parametrize("kept_share", [0.0, 0.3, 0.9, 0.99])
def test_restore_refuses_a_truncated_file(source, data_dir, kept_share):
    _, file, _ = source
    short = data_dir / "short.backup"
    content = file.read_bytes()
    short.write_bytes(content[: int(len(content) * kept_share)])
    wardkeeper("restore", short, data=data_dir / "target", status=2)


def test_restore_refuses_a_path_that_leads_out(source, data_dir):
    _, file, _ = source
    evil = data_dir / "evil.backup"
    with tarfile.open(file) as good, tarfile.open(evil, "w") as bad:
        listed = good.extractfile("manifest.json")
        assert listed
        manifest = json.loads(listed.read())
        for member in good.getmembers():
            if member.name != "manifest.json":
                bad.addfile(member, good.extractfile(member))
        outside = data_dir / "payload"
        outside.write_text("x")
        bad.add(outside, "attachments/../../outside")
        manifest["parts"]["attachments/../../outside"] = {
            "size": 1,
            "sha256": hashlib.sha256(b"x").hexdigest(),
        }
        listing = data_dir / "manifest.json"
        listing.write_text(json.dumps(manifest))
        bad.add(listing, "manifest.json")
    with tarfile.open(evil) as archive, pytest.raises(RefusalError, match="which no backup has"):
        verify(archive, evil)


def test_broken_off_restore_leaves_the_directory_empty(source, data_dir, free_port):
    """Here because the database that the settings name is not empty."""
    _, file, _ = source
    with EmbeddedPostgres(data_dir / "other", durable=False, tcp_port=free_port()) as other:
        with psycopg.connect(other.dsn) as connection:
            connection.execute("CREATE TABLE taken ()")
        target = data_dir / "target"
        dsn = other.dsn
        said = wardkeeper("restore", file, data=target, status=2, WARDKEEPER_DATABASE_DSN=dsn).stderr
    assert "database is not empty" in said
    assert not any(target.iterdir())


def test_backup_and_restore_work_with_external_servers(source, data_dir, free_port):
    """Over TCP with a password, as a hospital's own server; from embedded to external and on to another."""
    _, file, held = source
    with (
        EmbeddedPostgres(data_dir / "one", durable=False, tcp_port=free_port()) as one,
        EmbeddedPostgres(data_dir / "two", durable=False, tcp_port=free_port()) as two,
    ):
        addresses = [
            f"postgresql://wardkeeper:{each.password}@127.0.0.1:{each.tcp_port}/wardkeeper"
            for each in (one, two)
        ]
        first, second, again = data_dir / "first", data_dir / "second", data_dir / "again.backup"
        wardkeeper("restore", file, data=first, WARDKEEPER_DATABASE_DSN=addresses[0])
        assert contents(addresses[0]) == held
        wardkeeper("backup", again, data=first, WARDKEEPER_DATABASE_DSN=addresses[0])
        wardkeeper("restore", again, data=second, WARDKEEPER_DATABASE_DSN=addresses[1])
        assert contents(addresses[1]) == held
        assert not (second / "postgres").exists()
