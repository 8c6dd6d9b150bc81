"""A collector's messages on its own disk while the bus is away. No Django, no broker.

Two queues of segment files, `facts` and `samples`: when the room is used up the oldest samples go first,
facts only when no sample is left. A segment is a row of records, each `length, checksum, envelope`, written
and flushed in batches; it is deleted as a whole once the bus has stored it. After a crash a segment may be
sent a second time, which receivers notice by the ids.
"""

import logging
import os
import struct
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import msgspec

from wardkeeper.bus.bundle import family_of
from wardkeeper.bus.contract import Envelope

_log = logging.getLogger(__name__)

_QUEUES = ("facts", "samples")
"""In the order of sending; what is dropped first stands last."""

_SUFFIX = ".spool"
_HEAD = struct.Struct("<II")
_SEGMENT_BYTES = 4 << 20
"""What is sent in one go, what a crash may send again, and what a full disk loses at once."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[str, str, str, bytes])


@dataclass(frozen=True, slots=True)
class Segment:
    path: Path
    envelopes: tuple[Envelope, ...]


@dataclass(slots=True)
class _Queue:
    """`sizes` by segment, oldest first; appending goes to the newest one while `file` is open."""

    folder: Path
    sizes: dict[Path, int]
    file: BinaryIO | None = None
    number: int = 0


@dataclass(slots=True)
class Spool:
    """Blocking; may be called from several threads.

    limit_bytes    of all segments together; the facts just written may go beyond it
    dropped_bytes  what had to go for want of room, since the start
    """

    folder: Path
    limit_bytes: int
    dropped_bytes: int = 0
    _queues: dict[str, _Queue] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for name in _QUEUES:
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            sizes = {path: path.stat().st_size for path in sorted(folder.glob(f"*{_SUFFIX}"))}
            number = max((int(path.stem) for path in sizes), default=0)
            self._queues[name] = _Queue(folder, sizes, number=number)

    @property
    def size_bytes(self) -> int:
        return sum(sum(queue.sizes.values()) for queue in self._queues.values())

    @property
    def is_empty(self) -> bool:
        return not any(queue.sizes for queue in self._queues.values())

    def append(self, envelopes: Iterable[Envelope]) -> None:
        """On disk when it returns. Raises OSError, and then nothing of this call is kept."""
        sorted_out: dict[str, list[Envelope]] = {}
        for envelope in envelopes:
            name = "samples" if family_of(envelope.topic) == "samples" else "facts"
            sorted_out.setdefault(name, []).append(envelope)
        with self._lock:
            for name, chosen in sorted_out.items():
                self._write(self._queues[name], b"".join(map(_record, chosen)))
            self._make_room()

    def oldest(self) -> Segment | None:
        """What to send next; from now on it is not written to any more."""
        with self._lock:
            for queue in self._queues.values():
                while queue.sizes:
                    path = next(iter(queue.sizes))
                    if len(queue.sizes) == 1:
                        _close(queue)
                    if envelopes := tuple(_read(path)):
                        return Segment(path, envelopes)
                    self._delete(queue, path)
            return None

    def remove(self, segment: Segment) -> None:
        """It has arrived. Nothing happens if it had to go in the meantime."""
        with self._lock:
            for queue in self._queues.values():
                if segment.path in queue.sizes:
                    self._delete(queue, segment.path)

    def close(self) -> None:
        with self._lock:
            for queue in self._queues.values():
                _close(queue)

    def _write(self, queue: _Queue, raw: bytes) -> None:
        if queue.file is None or queue.sizes[_newest(queue)] >= _SEGMENT_BYTES:
            self._begin(queue)
        file, path = queue.file, _newest(queue)
        if file is None:
            raise OSError(f"{path}: closed while writing")
        try:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            # What was written of it ends in a torn record, which reading stops at: begin a new segment.
            _close(queue)
            os.truncate(path, queue.sizes[path])
            raise
        queue.sizes[path] += len(raw)

    def _begin(self, queue: _Queue) -> None:
        _close(queue)
        queue.number += 1
        path = queue.folder / f"{queue.number:016}{_SUFFIX}"
        queue.file = path.open("xb")
        queue.sizes[path] = 0
        # Without this a crash may forget the file's name, and with it all that is in it.
        folder = os.open(queue.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _make_room(self) -> None:
        for name, kept in (("samples", 0), ("facts", 1)):
            queue = self._queues[name]
            while self.size_bytes > self.limit_bytes and len(queue.sizes) > kept:
                path, size = next(iter(queue.sizes.items()))
                self.dropped_bytes += size
                _log.error(
                    "spool.full", extra={"dropped": path.name, "queue": queue.folder.name, "bytes": size}
                )
                self._delete(queue, path)

    def _delete(self, queue: _Queue, path: Path) -> None:
        if queue.file is not None and path == _newest(queue):
            _close(queue)
        path.unlink(missing_ok=True)
        del queue.sizes[path]


def _newest(queue: _Queue) -> Path:
    return next(reversed(queue.sizes))


def _close(queue: _Queue) -> None:
    file, queue.file = queue.file, None
    if file is not None:
        file.close()


def _record(envelope: Envelope) -> bytes:
    body = _encoder.encode((envelope.topic, envelope.id, envelope.key, envelope.payload))
    return _HEAD.pack(len(body), crc32(body)) + body


def _read(path: Path) -> Iterator[Envelope]:
    """All whole records. A torn one at the end was never promised to anybody; damage before it is told."""
    raw = path.read_bytes()
    at = 0
    while at + _HEAD.size <= len(raw):
        length, checksum = _HEAD.unpack_from(raw, at)
        body = raw[at + _HEAD.size : at + _HEAD.size + length]
        if len(body) < length:
            break
        if crc32(body) != checksum:
            _log.error("spool.damaged", extra={"file": str(path), "lost_bytes": len(raw) - at})
            return
        topic, id_, key, payload = _decoder.decode(body)
        yield Envelope(topic, id_, key, payload)
        at += _HEAD.size + length
    if at < len(raw):
        _log.info("spool.torn", extra={"file": str(path), "cut_bytes": len(raw) - at})
