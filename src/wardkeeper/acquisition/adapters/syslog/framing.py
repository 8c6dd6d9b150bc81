"""Where one message ends and the next begins on a stream: RFC 6587, octet counting or newline. Pure."""

import re

_COUNT = re.compile(rb"([1-9]\d{0,8}) ")
_LONGEST_COUNT = 10
_MAYBE_COUNT = re.compile(rb"[1-9]\d{0,8}")


class Frames:
    """Cuts one connection's bytes into messages. `feed` any pieces; `end` when the peer has closed.

    longest  bytes; of a longer message the beginning is kept, the rest skipped and
             `truncated` counted. What is held back between calls is never longer.
    A frame that begins with a number, a space and "<" is counted (rsyslog, syslog-ng
    and others decide this way too); all others end with a newline.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""
        self._skip = 0
        self._is_skipping_line = False
        self.truncated = 0

    def feed(self, data: bytes) -> list[bytes]:
        data = self._skipped(self._rest + data if self._rest else data)
        self._rest = b""
        frames: list[bytes] = []
        position = 0
        while position < len(data):
            if data[position : position + 1].isdigit():
                count = _COUNT.match(data, position)
                if count and data[count.end() : count.end() + 1] in (b"<", b""):
                    position = self._counted(data, count, frames)
                    continue
                if count is None and self._may_be_count(data, position):
                    self._rest = data[position:]
                    break
            position = self._lines(data, position, frames)
        return frames

    def end(self) -> list[bytes]:
        """The last line, if the peer closed without ending it."""
        rest, self._rest = self._rest, b""
        if not rest or self._is_skipping_line or _COUNT.match(rest):
            return []
        return [rest]

    @property
    def is_cut_short(self) -> bool:
        """Whether the peer owes part of a counted message. Ask before `end`."""
        return self._skip > 0 or _COUNT.match(self._rest) is not None

    def _skipped(self, data: bytes) -> bytes:
        if self._skip:
            gone = min(self._skip, len(data))
            self._skip -= gone
            return data[gone:]
        if self._is_skipping_line:
            _, newline, tail = data.partition(b"\n")
            self._is_skipping_line = not newline
            return tail
        return data

    @staticmethod
    def _may_be_count(data: bytes, position: int) -> bool:
        found = _MAYBE_COUNT.match(data, position)
        return found is not None and found.end() == len(data) and found.end() - position < _LONGEST_COUNT

    def _counted(self, data: bytes, count: re.Match[bytes], frames: list[bytes]) -> int:
        size, start = int(count[1]), count.end()
        end = start + size
        if size > self._longest and len(data) - start >= self._longest:
            frames.append(data[start : start + self._longest])
            self.truncated += 1
            self._skip = max(0, end - len(data))
            return min(end, len(data))
        if end > len(data):
            self._rest = data[count.start() :]
            return len(data)
        frames.append(data[start:end])
        return end

    def _lines(self, data: bytes, position: int, frames: list[bytes]) -> int:
        """Lines up to the first that may be counted, or all there are."""
        end = data.find(b"\n", position)
        if end < 0:
            if len(data) - position > self._longest:
                frames.append(data[position : position + self._longest])
                self.truncated += 1
                self._is_skipping_line = True
            else:
                self._rest = data[position:]
            return len(data)
        if end > position:
            frames.append(data[position:end][: self._longest])
        return end + 1
