"""Samples from the bus into the store and past the thresholds, and back out, beside VictoriaMetrics.

10,000 series of 25 devices, one poll a minute for 24 hours: counters, noisy gauges with two
decimals, slow walks. `samples_per_s`: from the first publish to the last commit, through NATS and
thresholds, every poll durable. `stored_per_s`: the store and thresholds alone, messages already in
memory. `bytes_per_sample_hot` and `_packed`: of the tables with their indexes; packed in chunks of
360. `series_24h_p50_ms`: one series over 24 hours, its last half hour still hot (that much is on average).
`victoria_...`: the same load and question for Debian's victoria-metrics in the same run, if installed;
its writes are not flushed to disk before it answers.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from wardkeeper.runtime.nats import EmbeddedNats
from wardkeeper.runtime.postgres import EmbeddedPostgres

SETTINGS = {"series": 10_000, "series_a_device": 400, "ticks": 1440, "synchronous_commit": "on"}
_LIMIT_S = 1800


def run(scale: float) -> dict[str, float]:
    """The figures; `scale` multiplies the number of devices."""
    with tempfile.TemporaryDirectory(prefix="wk-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)  # PostgreSQL runs as another account when we are root
        with EmbeddedPostgres(folder / "data") as postgres, EmbeddedNats(folder / "data") as nats:
            environment = os.environ | {
                "WARDKEEPER_DATA": str(folder / "data"),
                "WARDKEEPER_DATABASE_DSN": postgres.dsn,
                "WARDKEEPER_BUS_URL": nats.url,
                "WARDKEEPER_SECRET_KEY": "bench",
                "DJANGO_SETTINGS_MODULE": "wardkeeper.settings.django",
            }
            environment.pop("WARDKEEPER_CONFIG", None)
            # In a process of its own: Django is set up once a process, for one database.
            child = subprocess.run(
                [sys.executable, "-m", "wardkeeper.cli.bench._samples_run", str(scale)],
                env=environment,
                stdout=subprocess.PIPE,
                timeout=_LIMIT_S * max(scale, 1),
                check=True,
            )
    figures: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return figures
