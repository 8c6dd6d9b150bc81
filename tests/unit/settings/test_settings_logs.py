"""One line a record, dotted events, no secret."""

import io
import logging

import pytest

from wardkeeper.settings.logs import KeyValueFormatter, configure, masked


@pytest.fixture
def written():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(KeyValueFormatter())
    log = logging.Logger("tried")  # noqa: LOG001 - apart from the tree, so that no other test sees it
    log.addHandler(handler)
    return log, stream


def test_event_and_fields_become_one_line(written):
    log, stream = written
    log.info("alarm.raised", extra={"ci": 17, "why": "two words"})
    line = stream.getvalue()
    assert ' level=info event=alarm.raised ci=17 why="two words"\n' in line
    assert line.startswith("at=2")


def test_secret_fields_are_masked_by_their_name(written):
    log, stream = written
    fields = {
        "community": "public!",
        "password": "pw!",
        "api_token": "tok!",
        "database_dsn": "dsn!",
        "auth_key": "k!",
    }
    log.info("device.tried", extra=fields)
    assert "!" not in stream.getvalue()
    assert stream.getvalue().count("=***") == 5


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach postgresql://keeper:hunter2@db:5432/wardkeeper",
        "nats://a:hunter2@127.0.0.1:4222 refused",
        "connection failed: host=db password=hunter2 user=x",
        "connection failed: password='hunter2' user=x",
        "Authorization: Bearer hunter2",
    ],
)
def test_credentials_inside_a_text_are_masked(text):
    assert "hunter2" not in masked(text)
    assert "***" in masked(text)


def test_exception_stays_on_one_line_and_names_its_place(written):
    log, stream = written
    try:
        raise ValueError("two\nlines of nats://u:hunter2@h")  # noqa: TRY301 - the frame is what is looked at
    except ValueError:
        log.exception("bus.away")
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert 'error="ValueError: two\\nlines' in line
    assert "where=" in line
    assert "hunter2" not in line


def test_sentence_of_a_library_becomes_text(written):
    log, stream = written
    log.warning("something %s happened", "odd")
    assert 'event=log.tried text="something odd happened"' in stream.getvalue()


def test_event_written_with_its_fields_by_hand_is_kept(written):
    log, stream = written
    log.info("role.started pid=%d", 17)
    assert "event=role.started pid=17" in stream.getvalue()


@pytest.fixture
def _root_as_before():
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raises


@pytest.mark.usefixtures("_root_as_before")
def test_role_is_on_every_line_of_a_process(tmp_path):
    stream = io.StringIO()
    configure("warning", role="web", stream=stream, file=tmp_path / "log" / "web.log")
    logging.getLogger("any").warning("web.started")
    logging.getLogger("any").info("web.chatter")
    assert stream.getvalue().count("\n") == 1
    assert "role=web" in stream.getvalue()
    assert (tmp_path / "log" / "web.log").read_text() == stream.getvalue()


@pytest.mark.usefixtures("_root_as_before")
def test_log_that_cannot_be_written_stops_nothing():
    stream = io.StringIO()
    configure("info", stream=stream)
    stream.close()
    logging.getLogger("any").warning("web.started")
