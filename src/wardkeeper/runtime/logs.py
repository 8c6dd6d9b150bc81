"""One log format for every process: `key=value`, the event's name dotted.

    log = logging.getLogger(__name__)
    log.info("role.started", extra={"role": "web", "pid": 4711})

writes `at=2026-11-22T18:30:00.123Z level=info event=role.started role=web pid=4711`. Never a secret,
never patient data.
"""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_EVENT = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_PLAIN = re.compile(r"[^\s\"=]+")


class KeyValue(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, object] = {"at": at.removesuffix("+00:00") + "Z", "level": record.levelname.lower()}
        text = record.getMessage()
        if _EVENT.fullmatch(text):
            fields["event"] = text
        else:  # a library's sentence
            fields |= {"event": record.name.lower(), "text": text}
        fields |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            fields["error"] = "".join(traceback.format_exception(*record.exc_info)).strip()
        return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())


def _quoted(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def configure(level: str, *, file: Path | None = None) -> None:
    """Sends this process's log to stderr, and to `file` too if given.

    A full disk or a closed terminal must not stop the work: what cannot be written is dropped.
    """
    logging.raiseExceptions = False
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if file is not None:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        handlers.append(logging.FileHandler(file, encoding="utf-8", delay=True))
    for handler in handlers:
        handler.setFormatter(KeyValue())
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    for noisy in ("httpx", "httpcore", "asyncio", "procrastinate", "nats"):
        logging.getLogger(noisy).setLevel(max(logging.getLevelName(level.upper()), logging.WARNING))
