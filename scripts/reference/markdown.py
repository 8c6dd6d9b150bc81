"""The few forms that the reference pages are made of."""

from collections.abc import Iterable, Sequence

NOTE = "Made from the code by `make docs`; change it there."


def page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def code(value: object) -> str:
    """As code, or nothing where there is nothing."""
    return f"`{value}`" if value not in ("", None) else ""


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").strip()


def described(docstring: str) -> tuple[str, dict[str, str]]:
    """A docstring in the house's form: its sentences, and what its table says about each name.

    A table line is a name, two spaces or more, and the meaning; indented lines go on with it.
    """
    prose: list[str] = []
    names: dict[str, str] = {}
    last = ""
    for line in docstring.strip().splitlines():
        indent = len(line) - len(line.lstrip())
        name, gap, meaning = line.strip().partition("  ")
        if gap and name.isidentifier():
            last = name
            names[name] = meaning.strip()
        elif last and line.strip() and indent >= len(last):
            names[last] += " " + line.strip()
        else:
            last = ""
            prose.append(line.strip())
    return "\n".join(prose).strip(), names
