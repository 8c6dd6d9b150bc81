"""However a stream is cut into pieces, the messages are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardkeeper.acquisition.adapters.syslog.framing import Frames

LONGEST = 200


def feed(*pieces: bytes) -> list[bytes]:
    frames = Frames(LONGEST)
    found = [frame for piece in pieces for frame in frames.feed(piece)]
    return found + frames.end()


def counted(*messages: bytes) -> bytes:
    return b"".join(b"%d %s" % (len(each), each) for each in messages)


MESSAGES = (b"<13>one", b"<14>two\nwith a newline", b"<15>\xe4\xb8\xad", b"<16>" + b"x" * 190)


def test_counted_messages_may_hold_newlines():
    assert feed(counted(*MESSAGES)) == list(MESSAGES)


def test_lines_end_with_a_newline_and_the_last_with_the_connection():
    assert feed(b"<13>one\n<14>two\r\n\n<15>three") == [b"<13>one", b"<14>two\r", b"<15>three"]


def test_both_framings_may_be_mixed():
    assert feed(b"<13>one\n" + counted(b"<14>two") + b"<15>three\n") == [b"<13>one", b"<14>two", b"<15>three"]


def test_a_line_that_begins_with_a_number_is_a_line():
    assert feed(b"12 monkeys\n7 dwarfs\n") == [b"12 monkeys", b"7 dwarfs"]


@given(st.lists(st.sampled_from(MESSAGES), max_size=8), st.booleans(), st.data())
def test_pieces_do_not_matter(messages: list[bytes], is_counted: bool, data: st.DataObject):  # noqa: FBT001 - drawn
    messages = [each for each in messages if is_counted or b"\n" not in each]
    stream = counted(*messages) if is_counted else b"".join(each + b"\n" for each in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert feed(*pieces) == messages


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_a_message_longer_than_allowed_keeps_its_beginning(size: int):
    for stream in (counted(b"<13>" + b"y" * 5000, b"<14>next"), b"<13>" + b"y" * 5000 + b"\n<14>next\n"):
        frames = Frames(LONGEST)
        found = [f for at in range(0, len(stream), size) for f in frames.feed(stream[at : at + size])]
        assert found == [(b"<13>" + b"y" * 5000)[:LONGEST], b"<14>next"]


def test_a_counted_message_cut_short_is_noticed_and_not_emitted():
    frames = Frames(LONGEST)
    assert frames.feed(b"20 <13>half") == []
    assert frames.is_cut_short
    assert frames.end() == []


@given(st.lists(st.binary(max_size=400), max_size=10))
def test_any_bytes_are_framed_within_bounds(pieces: list[bytes]):
    frames = Frames(LONGEST)
    for piece in pieces:
        for frame in frames.feed(piece):
            assert 0 < len(frame) <= LONGEST
        assert len(frames._rest) <= LONGEST + 12
    for frame in frames.end():
        assert len(frame) <= LONGEST + 12
