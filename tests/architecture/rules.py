"""The rules of the house that no linter knows. Each takes a source tree and returns its violations in words.

They are functions of a folder, so that `test_rules_catch.py` can plant a violation and see it caught.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
POSITIONAL_PARAMETERS = 5
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "extras", "core"}
WRITTEN = {".py", ".html", ".js", ".css", ".sql", ".toml", ".sh"}
NOT_OURS = {"vendor", "migrations", "node_modules", "__pycache__", "locale", "samples", ".venv"}
GENERATED = re.compile(r"\A[^\n]{0,4}\s*(generated|do not edit)", re.IGNORECASE)
# Where going on after any error is the job: they log, count and try again (STYLE, Errors).
MAY_CATCH_EVERYTHING = re.compile(
    r"wardkeeper/(acquisition/(supervisor|scheduler|listeners)|bus/(worker|group|consumer|relay|parking)"
    r"|runtime/(supervisor|child))\.py$"
)
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
FLOORS = (
    ("cli",),
    ("presentation",),
    ("processing", "aggregation", "acquisition"),
    ("ledger",),
    ("registry",),
    ("bus",),
    ("runtime",),
    ("messages", "settings"),
)
# Rooms of one floor know each other only where the floor has an order of its own.
REGISTRY_ORDER = ("cmdb", "people", "places", "calendars")
# One distribution, several clients: import-linter sees only the first name of an external package.
SUBMODULE_DOORS = {
    "gufo.snmp": ("wardkeeper/acquisition/adapters/snmp_poll/",),
    "gufo.ping": ("wardkeeper/acquisition/adapters/icmp/",),
}

type_violations = list[str]


def written_files(root: Path, *suffixes: str) -> Iterator[Path]:
    wanted = set(suffixes) or WRITTEN
    for path in sorted(root.rglob("*")):
        if path.suffix in wanted and path.is_file() and not NOT_OURS & set(path.relative_to(root).parts):
            yield path


def _modules(root: Path) -> Iterator[tuple[Path, str, ast.Module]]:
    for path in written_files(root, ".py"):
        source = path.read_text(encoding="utf-8")
        yield path, source, ast.parse(source, filename=str(path))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _imports(tree: ast.Module) -> Iterator[tuple[int, list[str]]]:
    """Line and dotted names of each absolute import; `from a import b` is "a.b"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            yield node.lineno, [alias.name for alias in node.names]


def long_files(root: Path) -> type_violations:
    found = []
    for path in written_files(root):
        text = path.read_text(encoding="utf-8")
        count = text.count("\n")
        if count > LINES_OF_A_FILE and not GENERATED.match(text):
            found.append(f"{path.relative_to(root)}: {count} lines, at most {LINES_OF_A_FILE}")
    return found


def long_functions(root: Path) -> type_violations:
    found = []
    for path, _source, tree in _modules(root):
        for function in _functions(tree):
            count = (function.end_lineno or function.lineno) - function.lineno + 1
            if count > LINES_OF_A_FUNCTION:
                place = f"{path.relative_to(root)}:{function.lineno}"
                found.append(f"{place} {function.name}: {count} lines, at most {LINES_OF_A_FUNCTION}")
    return found


def many_positional_parameters(root: Path) -> type_violations:
    found = []
    for path, _source, tree in _modules(root):
        for function in _functions(tree):
            names = [argument.arg for argument in function.args.posonlyargs + function.args.args]
            count = len([name for name in names if name not in {"self", "cls"}])
            if count > POSITIONAL_PARAMETERS:
                place = f"{path.relative_to(root)}:{function.lineno}"
                found.append(
                    f"{place} {function.name}: {count} positional parameters, make them keyword-only"
                )
    return found


def vague_names(root: Path) -> type_violations:
    return [
        f"{path.relative_to(root)}: say what it holds"
        for path in sorted(root.rglob("*"))
        if path.stem in FORBIDDEN_NAMES
        and not NOT_OURS & set(path.relative_to(root).parts)
        and (path.is_dir() or path.suffix in WRITTEN)
    ]


def prints(root: Path) -> type_violations:
    """Calls of print() outside cli; a role's words are log lines."""
    found = []
    for path, _source, tree in _modules(root):
        if "cli" in path.relative_to(root).parts:
            continue
        found += [
            f"{path.relative_to(root)}:{node.lineno}: print() outside cli"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]
    return found


def unfinished_marks(root: Path) -> type_violations:
    found = []
    for path in written_files(root):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if MARKS.search(line):
                found.append(f"{path.relative_to(root)}:{number}: {line.strip()[:80]}")
    return found


def signals(root: Path) -> type_violations:
    found = []
    for path, _source, tree in _modules(root):
        for line, names in _imports(tree):
            if any(re.match(r"django\..*\bsignals\b|django\.dispatch\b", name) for name in names):
                found.append(f"{path.relative_to(root)}:{line}: a signal; write a handler or call a service")
    return found


def save_overrides(root: Path) -> type_violations:
    found = []
    for path, _source, tree in _modules(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found += [
                    f"{path.relative_to(root)}:{item.lineno}: {node.name}.{item.name}() is overridden"
                    for item in node.body
                    if isinstance(item, ast.FunctionDef)
                    and item.name in {"save", "delete"}
                    and _is_model(node)
                ]
    return found


def _is_model(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base) for base in node.bases}
    return not bases.isdisjoint({"models.Model", "Model", "AbstractBaseUser", "AbstractUser"}) or any(
        isinstance(item, ast.ClassDef) and item.name == "Meta" for item in node.body
    )


def swallowed_errors(root: Path) -> type_violations:
    found = []
    for path, _source, tree in _modules(root):
        if MAY_CATCH_EVERYTHING.search(path.as_posix()):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                caught = "everything" if node.type is None else ast.unparse(node.type)
                again = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                if caught in {"everything", "Exception", "BaseException"} and not again:
                    found.append(f"{path.relative_to(root)}:{node.lineno}: catches {caught}")
    return found


def wrong_doors(root: Path) -> type_violations:
    """Clients that share one top-level name (gufo.snmp, gufo.ping), each outside its own adapter."""
    found = []
    for path, _source, tree in _modules(root):
        for line, names in _imports(tree):
            for door, homes in SUBMODULE_DOORS.items():
                used = any(name == door or name.startswith(door + ".") for name in names)
                if used and not any(home in path.as_posix() for home in homes):
                    found.append(f"{path.relative_to(root)}:{line}: {door} belongs to {', '.join(homes)}")
    return found


def unlisted_faces(root: Path, listed: set[str]) -> type_violations:
    """Packages of presentation that the independence contract does not name."""
    presentation = root / "wardkeeper" / "presentation"
    return [
        f"{path.relative_to(root)}: name it in the contract `faces`"
        for path in sorted(presentation.iterdir() if presentation.is_dir() else [])
        if (path / "__init__.py").exists() and f"wardkeeper.presentation.{path.name}" not in listed
    ]


def floor_of(module: str) -> int:
    """Index of the floor of "wardkeeper.<package>...", counted from the top."""
    package = module.split(".")[1]
    return next(index for index, names in enumerate(FLOORS) if package in names)


def may_point(source: str, target: str) -> bool:
    """Whether rows of the app `source` may refer to rows of the app `target` (dotted names)."""
    if source == target or not target.startswith("wardkeeper."):
        return source == target
    if source.startswith("wardkeeper.registry.") and target.startswith("wardkeeper.registry."):
        here, there = source.split(".")[2], target.split(".")[2]
        return REGISTRY_ORDER.index(here) < REGISTRY_ORDER.index(there)
    return floor_of(source) < floor_of(target)


def sql_that_points_up(root: Path, tables: dict[str, str]) -> type_violations:
    """`sql/*.sql` that names a table of a room beside or above. `tables`: table name -> dotted app."""
    found = []
    for path in sorted(root.rglob("sql/*.sql")):
        room = ".".join(path.relative_to(root).parent.parent.parts)
        words = set(
            re.findall(r"[a-z_][a-z0-9_]+", re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8")))
        )
        found += [
            f"{path.relative_to(root)}: names {word} of {tables[word]}"
            for word in sorted(words & set(tables))
            if not may_point(room, tables[word])
        ]
    return found


OF_THE_SOURCE: tuple[Callable[[Path], type_violations], ...] = (
    long_files,
    long_functions,
    many_positional_parameters,
    vague_names,
    prints,
    unfinished_marks,
    signals,
    save_overrides,
    swallowed_errors,
    wrong_doors,
)
OF_TESTS_AND_SCRIPTS: tuple[Callable[[Path], type_violations], ...] = (
    long_files,
    long_functions,
    vague_names,
)
