"""All open deadlines computed anew, as after a calendar was changed.

100,000 deadlines of 33,334 open P3 incidents of an office (accept, restore, resolve), opened over the last
three months, on service hours with the holidays of two years; every second clock has a pause behind it.
`recompute_s`: from the events in PostgreSQL to the due dates and warnings written back and committed, by
500 records a transaction. `compute_s`: the arithmetic alone, each with its four warnings, in memory.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from wardkeeper.runtime.postgres import EmbeddedPostgres

SETTINGS = {"deadlines": 100_000, "clocks_a_record": 3, "synchronous_commit": "on"}
_LIMIT_S = 900


def run(scale: float) -> dict[str, float]:
    """The figures; `scale` multiplies the number of deadlines."""
    with tempfile.TemporaryDirectory(prefix="wk-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)  # PostgreSQL runs as another account when we are root
        with EmbeddedPostgres(folder / "data") as postgres:
            environment = os.environ | {
                "WARDKEEPER_DATA": str(folder / "data"),
                "WARDKEEPER_DATABASE_DSN": postgres.dsn,
                "WARDKEEPER_SECRET_KEY": "bench",
                "DJANGO_SETTINGS_MODULE": "wardkeeper.settings.django",
            }
            environment.pop("WARDKEEPER_CONFIG", None)
            # In a process of its own: Django is set up once a process, for one database.
            child = subprocess.run(
                [sys.executable, "-m", "wardkeeper.cli.bench._clocks_run", str(scale)],
                env=environment,
                stdout=subprocess.PIPE,
                timeout=_LIMIT_S * max(scale, 1),
                check=True,
            )
    figures: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return figures
