"""How requests are read: strictly, so that no odd byte reaches a room."""

from typing import Annotated, Any
from urllib.parse import unquote_plus

import msgspec
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.errors import HttpError
from ninja.parser import Parser
from pydantic import AwareDatetime, Field

LARGEST_BODY_BYTES = 1 << 20

Id = Annotated[int, Field(ge=1, lt=1 << 63)]
Version = Annotated[int, Field(ge=1, lt=1 << 31)]
Short = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]*$")]
Long = Annotated[str, Field(max_length=20_000)]
Size = Annotated[int, Field(ge=1, le=500)]
Cursor = Annotated[str, Field(max_length=600)]
# PostgreSQL knows the years 1 to 294276, Python 1 to 9999; nothing here is about either end.
Moment = Annotated[AwareDatetime, Field(description="ISO 8601 with an offset")]


class StrictParser(Parser):
    """JSON as RFC 8259 says it, and no text that PostgreSQL cannot keep (NUL, lone surrogates)."""

    def parse_body(self, request: HttpRequest) -> Any:
        if len(request.body) > LARGEST_BODY_BYTES:
            raise HttpError(413, "The body is larger than 1 MiB.")
        try:
            body = msgspec.json.decode(request.body)
        except msgspec.DecodeError as error:
            raise HttpError(400, f"The body is not JSON: {error}") from error
        _refuse_unkeepable(body)
        return body

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        found: dict[str, Any] = super().parse_querydict(data, list_fields, request)
        _refuse_unkeepable(found)
        _refuse_unkeepable(unquote_plus(request.META.get("QUERY_STRING", ""), errors="replace"))
        return found


def _refuse_unkeepable(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value or not _is_encodable(value):
            raise HttpError(400, "Text must not contain NUL or lone surrogates.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _refuse_unkeepable(name)
            _refuse_unkeepable(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_unkeepable(inner)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
