"""`wardkeeper restore FILE --data DIR`: into an empty directory."""

import argparse
from pathlib import Path

from wardkeeper.runtime import backup
from wardkeeper.settings import current, logs


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="what `wardkeeper backup` wrote")


def run(args: argparse.Namespace) -> int:
    settings = current()
    logs.configure(settings.log.level)
    manifest = backup.restore(args.file, settings)
    print(f"restored {len(manifest['parts'])} parts of {manifest['made_at']} into {settings.data_dir}")
    if manifest["environment"]:
        print(f"it was made with these variables set, set them again: {', '.join(manifest['environment'])}")
    return 0
