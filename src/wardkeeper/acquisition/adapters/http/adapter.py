"""Fetches one page: does it answer as expected, how fast, how long is its certificate good."""

import asyncio
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

import certifi
import httpx

from wardkeeper.acquisition.adapters.http.decode import Expectation, days_left, expectation
from wardkeeper.acquisition.budget import budget_s
from wardkeeper.acquisition.columns import Columns, now_ms
from wardkeeper.acquisition.config import configure
from wardkeeper.acquisition.contract import ConfigError, Device, Emit, Malformed
from wardkeeper.acquisition.shortage import is_shortage

MOST_BODY_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One page.

    url               http:// or https://
    method            GET or HEAD
    status            allowed ones, "200-399" or "200,204"
    contains          text that the body must have
    pattern           RE2 expression that the body must match
    body_limit_bytes  how much of the body is read and searched
    max_redirects     0 follows none; the answer is then the redirect itself
    timeout_s         for the whole visit
    ca_file           certificates to trust besides the system's, e.g. the hospital's own CA
    require_trusted   an untrusted certificate makes the page not up
    headers           "Name: value", one a line; a secret, sent to this host only
    instance          put in braces behind the series' names, if one CI has several pages
    """

    url: str
    method: Literal["GET", "HEAD"] = "GET"
    status: str = "200-399"
    contains: str = ""
    pattern: str = ""
    body_limit_bytes: int = 256 << 10
    max_redirects: int = 3
    timeout_s: float = 10.0
    ca_file: str = ""
    require_trusted: bool = False
    headers: str = field(default="", repr=False, metadata={"secret": True})
    instance: str = ""

    def __post_init__(self) -> None:
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise ConfigError(f"url {self.url!r}: {error}") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise ConfigError(f"url {self.url!r} must begin with http:// or https:// and name a host")
        if not 0 <= self.body_limit_bytes <= MOST_BODY_BYTES:
            raise ConfigError(f"body_limit_bytes must be within 0..{MOST_BODY_BYTES}")
        if not 0 <= self.max_redirects <= 10 or not 0 < self.timeout_s <= 60:  # noqa: PLR2004 - said in the message
            raise ConfigError("max_redirects must be within 0..10 and timeout_s within 0..60")
        if self.method == "HEAD" and (self.contains or self.pattern):
            raise ConfigError("HEAD has no body to search: use GET, or leave contains and pattern empty")
        headers_of(self.headers)
        _expected(self)
        if self.ca_file and not Path(self.ca_file).is_file():
            raise ConfigError(f"ca_file {self.ca_file!r} is not a file")


@dataclass(slots=True)
class _Finding:
    """What a visit brought. `certificate` is that of the page itself, not of where it redirects."""

    status: int | None = None
    body: bytes = b""
    time_ms: float | None = None
    certificate: bytes | None = None
    is_trusted: bool | None = None


async def poll(device: Device, emit: Emit) -> None:
    """Emits `http.up`, `http.status`, `http.time_ms`; with https also `tls.days_left` and `tls.trusted`.

    A page whose certificate is not trusted is visited all the same, without trust, so
    that its state and the certificate's end are known. Emits nothing if it is our
    machine that cannot ask. Raises ConfigError only.
    """
    config = configure(Config, device.config)
    at_ms = now_ms()
    finding = _Finding()
    refusal = "unreachable"
    try:
        async with asyncio.timeout(min(budget_s(device), config.timeout_s)):
            await _visit(config, finding)
        refusal = _expected(config).refusal(finding.status or 0, finding.body)
    except TimeoutError:
        refusal = "timeout"
    except httpx.TooManyRedirects:
        refusal = "redirects"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        if is_shortage(error):
            emit.count("trouble.collector")
            return
        refusal = "unreachable"
    if not refusal and config.require_trusted and finding.is_trusted is False:
        refusal = "untrusted"
    if refusal:
        emit.count(f"trouble.{refusal}")
    columns = Columns()
    columns.add("http.up", float(not refusal), config.instance)
    columns.add("http.status", finding.status, config.instance)
    columns.add("http.time_ms", finding.time_ms, config.instance)
    if httpx.URL(config.url).scheme == "https":
        left = _days_left(finding, config, emit)
        columns.add("tls.days_left", left, config.instance)
        columns.add(
            "tls.trusted", None if finding.is_trusted is None else float(finding.is_trusted), config.instance
        )
    columns.emit(device, emit, time_ms=at_ms)


def _days_left(finding: _Finding, config: Config, emit: Emit) -> float | None:
    if finding.certificate is None:
        return None
    try:
        return days_left(finding.certificate, datetime.now(UTC))
    except Malformed as error:
        emit.malformed(finding.certificate, config.url, error.reason)
        return None


async def _visit(config: Config, finding: _Finding) -> None:
    """Fills `finding`. Raises httpx.HTTPError and OSError."""
    try:
        await _fetch(config, finding, trusting(config.ca_file))
    except httpx.ConnectError as error:
        if not any(isinstance(each, ssl.SSLError) for each in _causes(error)):
            raise
        # Not trusted, or older than TLS 1.2, as web pages in the firmware of devices are.
        finding.is_trusted = False
        await _fetch(config, finding, believing())
    else:
        if finding.certificate is not None:
            finding.is_trusted = True


async def _fetch(config: Config, finding: _Finding, context: ssl.SSLContext) -> None:
    url = httpx.URL(config.url)
    secret = headers_of(config.headers)
    home = _origin(url)

    async def keep_secrets_home(request: httpx.Request) -> None:
        # httpx drops Authorization when a redirect leaves the host, but no other header.
        if _origin(request.url) != home:
            for name in secret:
                request.headers.pop(name, None)

    async def look_at_certificate(response: httpx.Response) -> None:
        stream = response.extensions.get("network_stream")
        tls = stream.get_extra_info("ssl_object") if stream is not None else None
        if finding.certificate is None and tls is not None and _origin(response.request.url) == home:
            finding.certificate = tls.getpeercert(binary_form=True)

    started_s = time.perf_counter()
    async with (
        httpx.AsyncClient(
            verify=context,
            trust_env=False,
            timeout=config.timeout_s,
            follow_redirects=config.max_redirects > 0,
            max_redirects=config.max_redirects,
            # identity: a few compressed bytes must not unfold to gigabytes in our memory
            headers={"user-agent": "wardkeeper", "accept-encoding": "identity", **secret},
            event_hooks={"request": [keep_secrets_home], "response": [look_at_certificate]},
        ) as client,
        client.stream(config.method, url) as response,
    ):
        finding.status = response.status_code
        finding.body = await _body(response, config.body_limit_bytes)
        finding.time_ms = (time.perf_counter() - started_s) * 1000


async def _body(response: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= limit:
            break
    return bytes(body[:limit])


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def headers_of(written: str) -> dict[str, str]:
    """Lines of `Name: value` as headers. Raises ConfigError, which repeats no value: it may be a secret."""
    headers: dict[str, str] = {}
    for number, line in enumerate(written.splitlines(), start=1):
        name, colon, value = line.partition(":")
        if not line.strip():
            continue
        if not colon or not name.strip().isascii() or not value.strip().isprintable():
            raise ConfigError(f"headers, line {number}: write `Name: value`")
        headers[name.strip()] = value.strip()
    return headers


def _expected(config: Config) -> Expectation:
    return _expectation(config.status, config.contains, config.pattern)


@lru_cache(maxsize=4096)
def _expectation(status: str, contains: str, pattern: str) -> Expectation:
    return expectation(status=status, contains=contains, pattern=pattern)


@lru_cache(maxsize=16)
def trusting(ca_file: str) -> ssl.SSLContext:
    """Trusts Mozilla's list, the system's, and `ca_file`; none that the environment names. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=certifi.where())
    places = ssl.get_default_verify_paths()
    if Path(places.openssl_cafile).is_file():
        context.load_verify_locations(cafile=places.openssl_cafile)
    if Path(places.openssl_capath).is_dir():
        context.load_verify_locations(capath=places.openssl_capath)
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_file {ca_file!r} cannot be read as PEM certificates: {error}") from error
    return context


@lru_cache(maxsize=1)
def believing() -> ssl.SSLContext:
    """Believes any certificate and speaks any version of TLS. For looking, never for sending anything of worth."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
