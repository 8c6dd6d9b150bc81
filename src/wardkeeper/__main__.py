"""`python -m wardkeeper`: the same as `wardkeeper`."""

import sys

from wardkeeper.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
