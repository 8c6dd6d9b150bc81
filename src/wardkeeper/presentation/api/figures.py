"""Our own figures for Prometheus: what waits, what failed, what was received."""

import json
from collections.abc import Iterator
from typing import Any

from wardkeeper.bus.queries import backlog
from wardkeeper.runtime import health
from wardkeeper.settings import Settings


def prometheus(settings: Settings) -> str:
    """The exposition text, version 0.0.4."""
    return "".join(f"{line}\n" for line in _lines(settings))


def _lines(settings: Settings) -> Iterator[str]:
    report = health.report(settings)
    yield "# HELP wardkeeper_check 1 ok, 0.5 degraded, 0 down"
    yield "# TYPE wardkeeper_check gauge"
    for check in report.checks:
        value = {"ok": 1, "degraded": 0.5}.get(check.state, 0)
        yield f'wardkeeper_check{{name="{_label(check.name)}"}} {value}'
    waiting = backlog()
    yield "# HELP wardkeeper_outbox_messages facts that are stored and not yet published"
    yield "# TYPE wardkeeper_outbox_messages gauge"
    yield f"wardkeeper_outbox_messages {waiting.outbox}"
    yield "# HELP wardkeeper_parked_messages messages that failed and wait for a person"
    yield "# TYPE wardkeeper_parked_messages gauge"
    yield f"wardkeeper_parked_messages {waiting.parked}"
    yield "# HELP wardkeeper_collector_total what the collector counted, by adapter"
    yield "# TYPE wardkeeper_collector_total counter"
    for adapter, counts in _collector(settings).items():
        for name, value in counts.items():
            labels = f'adapter="{_label(adapter)}",what="{_label(name)}"'
            yield f"wardkeeper_collector_total{{{labels}}} {value}"


def _collector(settings: Settings) -> dict[str, dict[str, int]]:
    path = settings.data_dir / "run" / "collect.json"
    if not path.exists():
        return {}
    status: dict[str, Any] = json.loads(path.read_text("utf-8"))
    found: dict[str, dict[str, int]] = status.get("adapters", {})
    return found


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
