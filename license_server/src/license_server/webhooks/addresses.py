"""Which addresses events may be sent to: public ones, whatever a name says they are.

A vendor's endpoint is typed by a person with a token; without this check that token could reach
what only this server can reach (server-side request forgery, OWASP A10:2021).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from license_server.errors import DeliveryFailed

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


async def resolve(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a name.

    Raises:
        DeliveryFailed: it has none.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryFailed("the name of the endpoint is not known") from error
    return [ip_address(str(place[4][0]).partition("%")[0]) for place in found]


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public network, in whatever form it is written."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None and not is_public(inner):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
