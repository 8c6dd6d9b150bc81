"""docs/reference/messages.md, from the classes in `wardkeeper.messages`."""

import dataclasses
import inspect
import re

from scripts.reference.markdown import code, described, page, table
from wardkeeper.messages import TOPICS, Message

INTRODUCTION = """
A message is a frozen fact that crosses floors. It has an `id` that never repeats, the time `happened_at` at
which it became true (UTC), and a key: messages of one topic with one key arrive in order. Rooms say what they
listen to in `handlers.SUBSCRIPTIONS`.
"""


def reference() -> str:
    return page("Messages", INTRODUCTION, *(_section(topic, TOPICS[topic]) for topic in sorted(TOPICS)))


def _section(topic: str, kind: type[Message]) -> str:
    meanings: dict[str, str] = {}
    prose = ""
    for one in reversed(kind.__mro__):
        if isinstance(one, type) and issubclass(one, Message) and _has_own_words(one):
            prose, own = described(inspect.cleandoc(one.__doc__ or ""))
            meanings |= own
    if not _has_own_words(kind):
        prose = ""
    base = {field.name for field in dataclasses.fields(Message)}
    rows = [
        (code(field.name), code(_type(field.type)), meanings.get(field.name, ""))
        for field in dataclasses.fields(kind)
        if field.name not in base
    ]
    parts = [f"## {topic}", code(kind.__name__), prose, table(("field", "type", "meaning"), rows)]
    return "\n\n".join(part for part in parts if part)


def _has_own_words(kind: type) -> bool:
    # dataclass() writes the signature where there is no docstring.
    return not (kind.__doc__ or f"{kind.__name__}(").startswith(f"{kind.__name__}(")


def _type(annotation: object) -> str:
    text = (
        annotation.__name__
        if isinstance(annotation, type) and not hasattr(annotation, "__args__")
        else str(annotation)
    )
    return re.sub(r"\b(collections\.abc|datetime|typing|wardkeeper\.messages\.\w+)\.", "", text)
