"""Where the license server may be: https anywhere, plain http on this machine alone."""

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from license_client.errors import ConfigurationError

_MAX_LENGTH: Final = 2_048
_EXPECTED: Final = "expected https://HOST[:PORT][/PATH]"


def read_server_url(raw: str, *, insecure: bool) -> str:
    """Return a URL that paths can be appended to.

    Args:
        raw: as configured.
        insecure: accept plain http to another machine.

    Raises:
        ConfigurationError: anything but http or https with a host; user names and passwords;
            http to another machine. The URL itself is never shown: it may hold a password.
    """
    parts = _split(raw)
    if parts.scheme not in ("https", "http") or not _has_plain_host(parts):
        raise ConfigurationError(_EXPECTED)
    if "@" in parts.netloc:
        raise ConfigurationError(f"{_EXPECTED}, without user name or password")
    if parts.query or parts.fragment or raw.endswith(("?", "#")):
        raise ConfigurationError(f"{_EXPECTED}, without ? and #")
    if _is_exposed(parts) and not insecure:
        raise ConfigurationError(
            "plain http is only for a license server on this machine; use https"
        )
    return raw.rstrip("/")


def is_insecure(server_url: str) -> bool:
    """Ask whether what is sent there can be read on the way."""
    return _is_exposed(urlsplit(server_url))


def is_on_this_machine(server_url: str) -> bool:
    """Ask whether a server is where no proxy has to carry anything."""
    return _is_loopback(urlsplit(server_url).hostname or "")


def _split(raw: str) -> SplitResult:
    # urlsplit drops newlines and tabs, and takes a backslash for a letter where others take it
    # for a slash: what it would see is not what was written.
    if (
        not raw.isascii()
        or not raw.isprintable()
        or set(raw) & set(" \\")
        or len(raw) > _MAX_LENGTH
    ):
        raise ConfigurationError(f"{_EXPECTED}, in printable ASCII")
    try:
        parts = urlsplit(raw)
        parts.port  # noqa: B018 - the property raises when it is not a port
    except ValueError as error:
        raise ConfigurationError(_EXPECTED) from error
    return parts


def _has_plain_host(parts: SplitResult) -> bool:
    """Ask for a host and a port at most: of `evil.example[::1]` urlsplit sees the brackets only."""
    host = parts.hostname or ""
    written = f"[{host}]" if ":" in host else host
    netloc = parts.netloc.lower()
    return host != "" and netloc.startswith(written) and netloc[len(written) :][:1] in ("", ":")


def _is_exposed(parts: SplitResult) -> bool:
    return parts.scheme != "https" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
