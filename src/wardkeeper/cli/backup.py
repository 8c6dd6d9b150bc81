"""`wardkeeper backup FILE`."""

import argparse
import os
from pathlib import Path

from wardkeeper.runtime import backup
from wardkeeper.runtime.attach import operators_variables
from wardkeeper.settings import current, logs


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a new file; whoever has it has the secret key"
    )


def run(args: argparse.Namespace) -> int:
    settings = current()
    logs.configure(settings.log.level)
    manifest = backup.write(
        settings, args.file, config=_settings_file(settings.data_dir), environment=operators_variables()
    )
    size_mb = args.file.stat().st_size / (1 << 20)
    print(
        f"{args.file}: {len(manifest['parts'])} parts, {size_mb:.1f} MB. It holds the secret key: keep it safe."
    )
    return 0


def _settings_file(data_dir: Path) -> Path | None:
    named = os.environ.get("WARDKEEPER_CONFIG")
    file = Path(named) if named else data_dir / "wardkeeper.toml"
    return file if file.is_file() else None
