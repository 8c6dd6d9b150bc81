"""Log lines are key=value with a dotted event name; secrets are masked before they reach the stream.

    log = logging.getLogger(__name__)
    log.info("alarm.raised", extra={"ci": 17, "severity": "major"})
    -> at=2026-11-22T10:20:29.123Z level=info event=alarm.raised ci=17 severity=major

What is given as `extra` becomes fields; an exception becomes `error`, `where` and `trace`, on the same line.
"""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

MASK = "***"
SECRET_KEY = re.compile(
    r"passw|secret|token|communit|auth_key|priv_key|authkey|privkey|authorization|cookie|credential|dsn$",
    re.IGNORECASE,
)
# scheme://user:password@host: the password may stand in the text of any driver's exception.
CREDENTIALS_IN_URL = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@", re.IGNORECASE)
# password=... as libpq's connection strings write it, and Bearer tokens of HTTP headers.
CREDENTIALS_IN_TEXT = re.compile(
    r"(?P<before>\bpassword\s*=\s*|\bbearer\s+)('[^']*'|[^\s'\"&]+)", re.IGNORECASE
)
EVENT = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
PLAIN = re.compile(r"[^\s\"=\\]+")
OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",  # uvicorn's and granian's own copy of the text
}


def masked(text: str) -> str:
    """The text without the passwords that addresses and connection strings carry."""
    text = CREDENTIALS_IN_URL.sub(rf"\g<before>:{MASK}@", text)
    return CREDENTIALS_IN_TEXT.sub(rf"\g<before>{MASK}", text)


def _written(key: str, value: Any) -> str:
    if SECRET_KEY.search(key) and value not in (None, ""):
        return MASK
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    text = masked(f"{value:.6g}" if isinstance(value, float) else str(value))
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


class KeyValueFormatter(logging.Formatter):
    """One line a record. Text that is no event name (a library's sentence) becomes `text`."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {"at": at.removesuffix("+00:00") + "Z", "level": record.levelname.lower()}
        if EVENT.fullmatch(message):
            fields["event"] = message
        else:
            first, _, rest = message.partition(" ")
            # "event.name key=value" written by hand stays as it is; anything else is a library's sentence.
            if EVENT.fullmatch(first) and "=" in rest:
                fields["event"] = first
                return self._line(fields, record) + " " + masked(rest).replace("\n", "\\n")
            fields["event"] = f"log.{record.name}"
            fields["text"] = message
        return self._line(fields, record)

    def _line(self, fields: dict[str, Any], record: logging.LogRecord) -> str:
        own = {key: value for key, value in vars(record).items() if key not in OWN_ATTRIBUTES}
        fields |= own
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            fields["error"] = f"{type(error).__name__}: {error}"
            fields["where"] = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
            fields["trace"] = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
        return " ".join(f"{key}={_written(key, value)}" for key, value in fields.items())


def configure(level: str, *, role: str = "", file: Path | None = None, stream: IO[str] | None = None) -> None:
    """Sends every record of this process to `stream` (standard error), and to `file` too if given.

    Called once by each role. A full disk or a closed terminal must not stop the work: what cannot be
    written is dropped.
    """
    logging.raiseExceptions = False
    handlers: list[logging.Handler] = [logging.StreamHandler(stream or sys.stderr)]
    if file is not None:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        handlers.append(logging.FileHandler(file, encoding="utf-8", delay=True))
    for handler in handlers:
        handler.setFormatter(KeyValueFormatter())
        if role:
            handler.addFilter(_Role(role))
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    # They say at "info" what our own events say better.
    for chatty in ("httpx", "httpcore", "nats", "procrastinate", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))


class _Role(logging.Filter):
    """Adds the role to each record, since all roles of one machine share a terminal."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def filter(self, record: logging.LogRecord) -> bool:
        record.role = self._role
        return True
