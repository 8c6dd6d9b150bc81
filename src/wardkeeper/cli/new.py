"""`wardkeeper new KIND NAME`: the beginnings of a room, complete enough to run and to pass its tests."""

import argparse
import re
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from string import Template

import wardkeeper
from wardkeeper.acquisition.registry import GROUP, manifests

MISUSE = 2
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_DEFAULT_PORT = 9999
_SAMPLES = ("sample.raw", "sample.json")
_TEST = "test.py"


def arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    adapter = kinds.add_parser("adapter", help="speaks one protocol to the outside")
    adapter.add_argument("name", metavar="NAME", help="lower case with underscores, e.g. modbus")
    adapter.add_argument("--title", help="what a person calls it (default: from the name)")
    adapter.add_argument("--poller", action="store_true", help="it asks, instead of listening")
    adapter.add_argument("--port", type=int, default=_DEFAULT_PORT, help="its usual port")
    adapter.add_argument(
        "--into",
        type=Path,
        metavar="DIR",
        help="a folder for a package of your own (default: this source tree, if it is one)",
    )


def run(args: argparse.Namespace) -> int:
    if not _NAME.fullmatch(args.name):
        return _refused(f"{args.name!r}: a name is lower-case words with underscores between them")
    if args.name in manifests():
        return _refused(f"there is an adapter {args.name!r} already")
    root = _source_tree()
    if args.into is None and root is None:
        return _refused("this is no source tree: say with --into DIR where your package shall be")
    if args.into is None and root is not None:
        folder = root / "src/wardkeeper/acquisition/adapters" / args.name
        test = root / "tests/unit/acquisition" / f"test_{args.name}.py"
        package = f"wardkeeper.acquisition.adapters.{args.name}"
    else:
        package = f"wardkeeper_{args.name}"
        folder = args.into / package
        test = args.into / f"test_{args.name}.py"
    taken = [str(path) for path in (folder, test) if path.exists()]
    if taken:
        return _refused(f"{', '.join(taken)} is there already; nothing was written")
    # Where the import of its own decoder sorts.
    own = f"from {package}.decode import decode\n"
    is_inside = package.startswith("wardkeeper.")
    words = {
        "above": own if is_inside else "",
        "below": "" if is_inside else own,
        "name": args.name,
        "title": args.title or args.name.replace("_", " ").capitalize(),
        "package": package,
        "port": str(args.port),
    }
    for path, text in _files("poller" if args.poller else "listener", folder, test):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8")
        print(path)
    if args.into is not None:
        print(f'\nFor your pyproject.toml:\n[project.entry-points."{GROUP}"]\n{args.name} = "{package}"')
    print(f"\nIt runs already: wardkeeper adapter try {args.name} ...   Its README says what is left.")
    return 0


def _files(kind: str, folder: Path, test: Path) -> Iterator[tuple[Path, str]]:
    for template in resources.files("wardkeeper.cli").joinpath("scaffold/adapter", kind).iterdir():
        name = template.name.removesuffix(".txt")
        text = template.read_text("utf-8")
        if name == _TEST:
            yield test, text
        elif name in _SAMPLES:
            yield folder / "samples" / name.replace("sample", "example"), text
        else:
            yield folder / name, text


def _source_tree() -> Path | None:
    """The root of the checkout that this program runs from, if it runs from one."""
    root = Path(wardkeeper.__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "tests").is_dir() else None


def _refused(sentence: str) -> int:
    print(f"wardkeeper: {sentence}", file=sys.stderr)
    return MISUSE
