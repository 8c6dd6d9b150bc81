"""What a TCP service said first. Pure."""

from wardkeeper.acquisition.contract import Malformed
from wardkeeper.acquisition.text import text

MOST_BANNER_BYTES = 4096


def greets_with(raw: bytes, expected: str) -> bool:
    """Whether the greeting `raw` has `expected` in it. Raises Malformed if nothing was said, or too much.

    raw  what came until the service paused, closed or `expected` was in it
    """
    if not raw:
        raise Malformed("no_banner")
    if len(raw) > MOST_BANNER_BYTES:
        raise Malformed("banner_too_long")
    return expected in text(raw)
