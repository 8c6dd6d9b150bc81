"""Seals secrets with the installation's key, so that neither a database dump nor the bus shows them."""

import base64
import json
from collections.abc import Mapping
from hashlib import scrypt

from cryptography.fernet import Fernet, InvalidToken


class VaultError(Exception):
    """The text was sealed with another key, or changed."""


class Vault:
    """Fernet (AES-128-CBC with HMAC-SHA256) under a key derived from the installation's `secret_key`."""

    def __init__(self, secret_key: str) -> None:
        if not secret_key:
            raise VaultError("no secret_key: start the system once, or set WARDKEEPER_SECRET_KEY")
        # One fixed salt: the key is random and long, the derivation only separates its uses.
        key = scrypt(secret_key.encode(), salt=b"wardkeeper.vault", n=2**10, r=8, p=1, dklen=32)
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, secrets: Mapping[str, str]) -> str:
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode()).decode()

    def open(self, sealed: str) -> dict[str, str]:
        """Raises VaultError if `sealed` was not made with this key."""
        if not sealed:
            return {}
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise VaultError("sealed with another secret_key, or changed") from error
        return opened
