"""From what a person typed to an address."""

import asyncio
import ipaddress
import socket


class UnknownHost(Exception):
    """Neither an address nor a name that resolves here."""


async def resolved(host: str) -> str:
    """The first address of `host`. An address is returned as it is, without asking anybody.

    Raises UnknownHost.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(host) from error
    return str(found[0][4][0])
