"""What a web answer is worth: status, body, certificate. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import re2
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from wardkeeper.acquisition.contract import ConfigError, Malformed
from wardkeeper.acquisition.text import decoded

_DAY_S = 86_400
_STATUSES = range(100, 600)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What makes an answer good.

    statuses  those allowed
    contains  text that the body must have, empty for any
    pattern   a compiled RE2 expression, or None. RE2 and not `re`: its time grows
              with the body only, so no expression can stop the collector

    The body is read as `decoded` reads it: many Chinese hospital pages are GBK.
    """

    statuses: frozenset[int]
    contains: str = ""
    pattern: Any = field(default=None)

    def refusal(self, status: int, body: bytes) -> str:
        """Why the answer is not good, a stable code; empty if it is."""
        if status not in self.statuses:
            return "status"
        if not self.contains and self.pattern is None:
            return ""
        page = decoded(body)
        if self.contains not in page:
            return "text_missing"
        if self.pattern is not None and self.pattern.search(page) is None:
            return "pattern_missing"
        return ""


def expectation(*, status: str, contains: str, pattern: str) -> Expectation:
    """`status` as written: "200-399" or "200,204,301-302". Raises ConfigError."""
    return Expectation(_statuses(status), contains, _compiled(pattern))


def _statuses(written: str) -> frozenset[int]:
    allowed: set[int] = set()
    for part in written.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise ConfigError(f"status {written!r}: write numbers and ranges, e.g. 200-399 or 200,204")
        allowed.update(each for each in _STATUSES if int(first) <= each <= int(last or first))
    if not allowed:
        raise ConfigError(f"status {written!r} allows nothing within 100..599")
    return frozenset(allowed)


def _compiled(pattern: str) -> Any:
    if not pattern:
        return None
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ConfigError(f"pattern {pattern!r}: {_said(error)}; the syntax is that of RE2") from error


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def days_left(certificate: bytes, at: datetime) -> float:
    """Days until a certificate (DER) ends; negative once it has. Raises Malformed."""
    try:
        ends_at = x509.load_der_x509_certificate(certificate).not_valid_after_utc
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise Malformed("certificate") from error
    return (ends_at - at.astimezone(UTC)).total_seconds() / _DAY_S
