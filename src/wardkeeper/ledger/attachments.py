"""The attachment store: bytes under their SHA-256, checked for size and for what they really are."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from wardkeeper.settings import current

LARGEST_BYTES = 20 * 1024 * 1024
OFFICE = b"PK\x03\x04"

# What may come in, by how the bytes begin. Scripts, programs and HTML have no place here.
SIGNATURES: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", (".png",)),
    (b"\xff\xd8\xff", "image/jpeg", (".jpg", ".jpeg")),
    (b"GIF8", "image/gif", (".gif",)),
    (b"%PDF-", "application/pdf", (".pdf",)),
    (OFFICE, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx",)),
    (OFFICE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (".xlsx",)),
    (OFFICE, "application/vnd.openxmlformats-officedocument.presentationml.presentation", (".pptx",)),
    (OFFICE, "application/zip", (".zip",)),
)
TEXT = (".txt", ".log", ".csv")


class AttachmentRefused(Exception):
    """`reason`: empty, large, or type."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Stored:
    name: str
    media_type: str
    size_bytes: int
    digest: str


def media_type(name: str, content: bytes) -> str:
    """What `content` is, by its first bytes and its name together. Raises AttachmentRefused."""
    ending = Path(name).suffix.lower()
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and ending == ".webp":
        return "image/webp"
    for start, kind, endings in SIGNATURES:
        if content.startswith(start) and ending in endings:
            return kind
    if ending in TEXT and b"\x00" not in content:
        return "text/plain"
    raise AttachmentRefused("type")


def store(name: str, content: bytes) -> Stored:
    """Keeps `content` durably and returns what to write down. Raises AttachmentRefused, OSError."""
    if not content:
        raise AttachmentRefused("empty")
    if len(content) > LARGEST_BYTES:
        raise AttachmentRefused("large")
    clean = Path(name.replace("\\", "/")).name[-200:] or "file"
    kind = media_type(clean, content)
    digest = hashlib.sha256(content).hexdigest()
    path = path_of(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return Stored(clean, kind, len(content), digest)


def path_of(digest: str) -> Path:
    return current().data_dir / "attachments" / digest[:2] / digest
