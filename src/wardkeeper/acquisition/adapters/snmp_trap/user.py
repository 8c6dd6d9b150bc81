"""Who may send SNMPv3 notifications; apart from `usm`, which loads all of pysnmp."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """One SNMPv3 user. `auth` and `priv` name protocols; without them messages are not protected."""

    name: str
    auth: str = ""
    auth_key: str = ""
    priv: str = ""
    priv_key: str = ""

    @property
    def level(self) -> int:
        """As pysnmp numbers securityLevel: 1 noAuthNoPriv, 2 authNoPriv, 3 authPriv."""
        return 1 + bool(self.auth) + bool(self.priv)
