import stat

import pytest

from wardkeeper.runtime import datadir
from wardkeeper.runtime.errors import RefusalError
from wardkeeper.runtime.status import StatusFile


def test_secret_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "password"
    made = datadir.secret(path)
    assert len(made) >= 43
    assert datadir.secret(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_replaced_file_leaves_no_draft(tmp_path):
    path = tmp_path / "port"
    datadir.write(path, "1")
    datadir.write(path, "2")
    assert path.read_text() == "2"
    assert list(tmp_path.iterdir()) == [path]


def test_existing_data_directory_keeps_its_rights(tmp_path):
    folder = tmp_path / "house"
    folder.mkdir(mode=0o750)
    assert datadir.make(folder) == folder.resolve()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_data_directory_below_a_file_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(RefusalError, match="choose another with --data"):
        datadir.make(file / "house")


def test_full_log_makes_room_and_keeps_one_before(tmp_path, monkeypatch):
    monkeypatch.setattr(datadir, "_LOG_LIMIT_BYTES", 3)
    path = tmp_path / "log" / "web.log"
    for text in (b"first", b"second", b"third"):
        with datadir.open_log(path) as log:
            log.write(text)
    assert path.read_bytes() == b"third"
    assert path.with_name("web.log.1").read_bytes() == b"second"


def test_status_is_read_as_it_was_written_with_its_time(tmp_path):
    status = StatusFile(tmp_path)
    assert status.read() is None
    status.write({"pid": 1, "name": "医维" * 100})
    status.write({"pid": 2})
    facts = status.read()
    assert facts
    assert facts["pid"] == 2
    assert facts["written_at"] > 0
    status.remove()
    assert status.read() is None


def test_status_keeps_its_size_so_that_a_full_disk_can_be_told(tmp_path):
    status = StatusFile(tmp_path)
    status.write({"pid": 1})
    size = status.path.stat().st_size
    status.write({"roles": {str(number): "up" for number in range(50)}})
    assert status.path.stat().st_size == size
    status.remove()


def test_half_written_status_is_none_rather_than_an_error(tmp_path):
    status = StatusFile(tmp_path)
    status.path.parent.mkdir()
    status.path.write_text('{"pid": 1, "ro')
    assert status.read() is None
