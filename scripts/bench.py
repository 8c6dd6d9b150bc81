"""Runs benches one after another and writes each result into docs/reference/bench.md.

python scripts/bench.py                      all, at scale 1
python scripts/bench.py --scale 1,10 traps   one, twice: the two rows show how the cost grows
"""

import argparse
import subprocess
import sys
from pathlib import Path

from wardkeeper.cli.bench import names

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(sys.executable).with_name("wardkeeper")
PAGE = ROOT / "docs" / "reference" / "bench.md"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names())}")
    parser.add_argument("--scale", default="1", help="one or several, separated by commas")
    arguments = parser.parse_args()
    failed = []
    for name in arguments.names or names():
        for scale in arguments.scale.split(","):
            print(f"== {name}, scale {scale}", flush=True)
            command = [str(PROGRAM), "bench", name, "--scale", scale, "--write", str(PAGE)]
            if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
                failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
