"""How to reach one device. Its checks run where credentials enter, before anything is sent."""

from dataclasses import dataclass, field
from typing import Literal

from wardkeeper.acquisition.contract import ConfigError

SHORTEST_PASSWORD = 8
"""RFC 3414 section 11.2 wants at least eight characters; agents refuse less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One device.

    host               name or address
    version            "1", "2c" or "3"
    community          v1, v2c; a secret
    user               v3 security name
    auth_protocol      v3: md5, sha, sha224, sha256, sha384, sha512; empty: noAuthNoPriv
    priv_protocol      v3: des, aes, aes192, aes256; empty: not encrypted
    auth_password, priv_password   secrets
    key_expansion      how keys for aes192 and aes256 are stretched: blumenthal (net-snmp
                       "AES192", "AES256") or cisco (Reeder; net-snmp "AES192C", "AES256C")
    request_timeout_s  for one request
    retries            of one request, after its first time-out
    discover_every     polls between two readings of what the device consists of; a change
                       that the device announces is followed at once
    """

    host: str
    port: int = 161
    version: Literal["1", "2c", "3"] = "2c"
    community: str = field(default="public", repr=False, metadata={"secret": True})
    user: str = ""
    auth_protocol: Literal["", "md5", "sha", "sha224", "sha256", "sha384", "sha512"] = ""
    auth_password: str = field(default="", repr=False, metadata={"secret": True})
    priv_protocol: Literal["", "des", "aes", "aes192", "aes256"] = ""
    priv_password: str = field(default="", repr=False, metadata={"secret": True})
    key_expansion: Literal["blumenthal", "cisco"] = "blumenthal"
    request_timeout_s: float = 2.0
    retries: int = 1
    discover_every: int = 60

    def __post_init__(self) -> None:
        if not self.host:
            raise ConfigError("host is empty: give a name or an address")
        if not 0 < self.port < 1 << 16:
            raise ConfigError(f"port {self.port} is outside 1..65535")
        if not 0 < self.request_timeout_s <= 60 or not 0 <= self.retries <= 10 or self.discover_every < 1:  # noqa: PLR2004 - said in the message
            raise ConfigError(
                "request_timeout_s must be within 0..60, retries 0..10, discover_every at least 1"
            )
        if self.version == "3":
            self._check_v3()

    def _check_v3(self) -> None:
        if not self.user:
            raise ConfigError("user is empty: version 3 needs a security name")
        if self.priv_protocol and not self.auth_protocol:
            raise ConfigError(
                "priv_protocol without auth_protocol: version 3 has no privacy without authentication"
            )
        for protocol, password, name in (
            (self.auth_protocol, self.auth_password, "auth_password"),
            (self.priv_protocol, self.priv_password, "priv_password"),
        ):
            if protocol and len(password) < SHORTEST_PASSWORD:
                raise ConfigError(f"{name} is shorter than {SHORTEST_PASSWORD} characters")
