"""Which proxies are believed, and what they say of the client behind them.

Nobody is believed unless `TRUSTED_PROXIES` names its network: anybody can send `X-Forwarded-For`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_MAX_HOPS: Final = 16  # addresses of X-Forwarded-For that are looked at, from the nearest on


class TrustedProxies:
    """The networks of our own reverse proxies.

    Args:
        networks: none = no forwarded header is read.
    """

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        self._networks = tuple(networks)
        self.includes = lru_cache(maxsize=1024)(self._includes)  # peers are few and come often

    def client_of(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the nearest address that is not one of ours.

        Args:
            peer: address of the connection, one that `includes` accepts.
            headers: of the request, names in lower case.
        """
        values = [value for name, value in headers if name == b"x-forwarded-for"]
        hops = b",".join(values).decode("latin-1").split(",")[-_MAX_HOPS:]
        client = peer
        for hop in reversed(hops):
            address = _canonical(hop.strip())
            if address is None:
                break  # what lies behind a hop that is no address could be anybody's text
            client = address
            if not self.includes(client):
                break
        return client

    def _includes(self, address: str) -> bool:
        """Tell whether an address is that of one of our proxies."""
        canonical = _canonical(address)
        if canonical is None:
            return False
        parsed = ip_address(canonical)
        return any(parsed in network for network in self._networks)


def _canonical(text: str) -> str | None:
    """Write an IP address in its one form, an IPv4 address mapped into IPv6 as IPv4.

    The zone of an IPv6 address is dropped: it may be any text, quotation marks included.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
