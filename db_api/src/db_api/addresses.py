"""Which hosts are this machine, which are anybody's, and which ones a database URL names."""

import ipaddress
from urllib.parse import parse_qs, unquote, urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether an address, or `localhost`, reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(host: str) -> bool:
    """Tell whether an address is one that the whole Internet can reach; a name is not known to."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def database_hosts(url: str) -> tuple[str, ...]:
    """Return the hosts that libpq would try, those of this machine left out.

    A socket's folder, an empty host and loopback are this machine. Several hosts are allowed, in
    the place of the host or as the parameter `host`.

    Args:
        url: `postgresql://…`.
    """
    try:
        parts = urlsplit(url)
        named = parse_qs(parts.query).get("host", [])
    except ValueError:  # brackets that hold no IPv6 address, which the settings refuse
        return ()
    places = parts.netloc.rpartition("@")[2].split(",") if parts.netloc else []
    hosts = [unquote(_without_port(place)) for place in places]
    hosts += [host for hosts_ in named for host in hosts_.split(",")]
    return tuple(host for host in hosts if host and host[0] not in "/@" and not is_loopback(host))


def _without_port(place: str) -> str:
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place.partition(":")[0]
