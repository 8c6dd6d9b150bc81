"""What the documents promise, as functions of a folder, so that a planted fault can be shown to them."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*(?:\{#([\w-]+)\})?\s*$", re.MULTILINE)


def documents(root: Path) -> Iterator[Path]:
    ours = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("src/**/README.md")]
    yield from sorted(
        path for path in ours if "vendor" not in path.parts and "node_modules" not in path.parts
    )


def anchors(page: Path) -> set[str]:
    """The anchors of a page, as Python-Markdown's toc makes them from its headings."""
    found = set()
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for title, given in HEADING.findall(text):
        plain = re.sub(r"[`*\[\]]|\(.*?\)", "", title)
        found.add(given or re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower()))
    return found


def dead_links(root: Path) -> list[str]:
    """Links from one document to a file or heading that is not there. Other hosts are not asked."""
    dead = []
    for page in documents(root):
        for match in LINK.finditer(CODE.sub("", page.read_text(encoding="utf-8"))):
            target = unquote(match[1] or match[2])
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            aim = (page.parent / file).resolve() if file else page
            if not aim.exists():
                dead.append(f"{page.relative_to(root)}: {target} is not there")
            elif anchor and aim.suffix == ".md" and anchor not in anchors(aim):
                dead.append(f"{page.relative_to(root)}: {target} has no such heading")
    return dead
