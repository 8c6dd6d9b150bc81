"""docs/reference/api.md, from the OpenAPI document of the API itself."""

from collections.abc import Mapping
from typing import Any

from scripts.reference.markdown import code, page, table

INTRODUCTION = """
Under `/api/v1/`, with a bearer token from `wardkeeper token create USER`; the machine-readable form is
`/api/v1/openapi.json`. A list answers `{"items": [...], "next": cursor or null}`; an error is problem JSON
(RFC 9457) in the reader's language.
"""
METHODS = ("get", "post", "put", "patch", "delete")


def document() -> Mapping[str, Any]:
    from wardkeeper.presentation.api.urls import api

    schema: Mapping[str, Any] = api.get_openapi_schema(path_prefix="/api/v1/")
    return schema


def groups() -> dict[str, list[tuple[str, str, Mapping[str, Any]]]]:
    """(method, path, operation) by group: the first word of the path."""
    found: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, item in sorted(document()["paths"].items()):
        name = path.removeprefix("/api/v1/").partition("/")[0]
        for method in METHODS:
            if method in item:
                found.setdefault(name, []).append((method.upper(), path, item[method]))
    return found


def reference() -> str:
    return page("API", INTRODUCTION, *(_section(name, rows) for name, rows in groups().items()))


def _section(name: str, operations: list[tuple[str, str, Mapping[str, Any]]]) -> str:
    rows = [
        (
            code(f"{method} {path}"),
            operation.get("description") or operation.get("summary", ""),
            ", ".join(code(one["name"]) for one in operation.get("parameters", []) if one["in"] == "query"),
        )
        for method, path, operation in operations
    ]
    return f"## {name}\n\n" + table(("request", "meaning", "query"), rows)
