"""Writes the pages that are made from the code.

python scripts/docs.py            writes what differs
python scripts/docs.py --check    only names what differs; exit 1 if anything does
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def prepare() -> None:
    """Loads the models under bare settings: pages must not depend on the machine at hand."""
    for name in [name for name in os.environ if name.startswith("WARDKEEPER_")]:
        del os.environ[name]
    os.environ["WARDKEEPER_DATA"] = tempfile.gettempdir() + "/wardkeeper-docs"
    os.environ["WARDKEEPER_DATABASE_DSN"] = "postgresql://nobody@127.0.0.1:1/none"
    os.environ["DJANGO_SETTINGS_MODULE"] = "wardkeeper.settings.django"
    import django

    django.setup()


def pages() -> dict[str, Callable[[], str]]:
    """What makes each page, by its path."""
    from scripts.reference import adapters, api, cli, glossary, messages, settings, workflows

    return {
        "docs/glossary.md": glossary.reference,
        "docs/reference/adapters.md": adapters.reference,
        "docs/reference/api.md": api.reference,
        "docs/reference/cli.md": cli.reference,
        "docs/reference/messages.md": messages.reference,
        "docs/reference/settings.md": settings.reference,
        "docs/reference/workflows.md": workflows.reference,
        "deploy/wardkeeper.example.toml": settings.example,
    }


def main() -> int:
    prepare()
    differing = []
    for name, make in pages().items():
        path, text = ROOT / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            differing.append(name)
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    for name in differing:
        print(name)
    return 1 if differing and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
