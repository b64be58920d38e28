"""One option of a client, as given, to its value; what is wrong with it as one sentence."""

import ipaddress
import os
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from license_client._cache import KEY_BYTES, EncryptionKey
from license_client._codes import UPDATE
from license_client._keyset import Trust, load_anchor
from license_client.errors import ConfigurationError, KeySetRejectedError

_ALPHANUMERIC: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
_MAX_NAME: Final = 64
_MAX_VERSION: Final = 32
_MAX_START_WAIT: Final = 3_600.0
_MAX_URL: Final = 2_048
_EXPECTED_URL: Final = "expected https://HOST[:PORT][/PATH]"


def read_product(raw: str) -> str:
    """Return the name of a program, as the license server knows it, or raise ConfigurationError."""
    if not 0 < len(raw) <= _MAX_NAME or not set(raw) <= _LOWER | set("._-") or raw[0] in "._-":
        raise ConfigurationError(
            "expected 1 to 64 lower-case letters, digits, dots, underscores and hyphens, "
            "beginning with a letter or digit"
        )
    return raw


def read_trust(data: bytes) -> Trust:
    """Return the content of a trust.json, or raise ConfigurationError."""
    try:
        return load_anchor(data)
    except KeySetRejectedError as error:
        raise ConfigurationError(
            f"is not the trust.json that a vendor ships: it breaks the rule {error.rule!r}; "
            f"{UPDATE if error.rule == 'version' else 'get the file from the vendor again'}"
        ) from error


def read_trust_file(path: Path) -> Trust:
    """Return the trust.json at a path, or raise ConfigurationError."""
    try:
        data = read_path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {path}: {error.strerror}; it is the trust.json that the vendor ships"
        ) from error
    return read_trust(data)


def read_path(raw: Path) -> Path:
    """Return a path that can be asked for, or raise ConfigurationError."""
    try:
        named = os.fsencode(raw)
    except UnicodeEncodeError:
        named = b"\0"
    if b"\0" in named:  # which system calls answer with errors that are not OSError
        raise ConfigurationError("expected a path that this system can have")
    return raw


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder that may not be searched
        return False


def read_encryption_key(raw: str) -> EncryptionKey:
    """Return the 64 hex digits that seal a cache, or raise ConfigurationError."""
    try:
        key = bytes.fromhex(raw) if len(raw) == 2 * KEY_BYTES else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError("expected 64 hex digits, as `openssl rand -hex 32` makes them")
    return EncryptionKey(key)


def read_instance_id(raw: str) -> str:
    """Return the name of a deployment, or raise ConfigurationError."""
    if not 0 < len(raw) <= _MAX_NAME or not set(raw) <= _ALPHANUMERIC | set("._:-"):
        raise ConfigurationError(
            "expected 1 to 64 letters, digits, dots, underscores, colons and hyphens"
        )
    return raw


def read_ca_file(raw: Path) -> Path:
    """Return the path of certificate authorities, or raise ConfigurationError."""
    if not _is_file(raw):
        raise ConfigurationError(f"no file at {raw}; expected certificate authorities in PEM")
    return raw


def read_version(raw: str) -> str:
    """Return the version of a program, or raise ConfigurationError."""
    if not 0 < len(raw) <= _MAX_VERSION or not set(raw) <= _ALPHANUMERIC | set(".+!_-"):
        raise ConfigurationError("expected 1 to 32 letters, digits and . + ! _ -")
    return raw


def read_name(raw: str) -> str:
    """Return what people call a deployment, or raise ConfigurationError."""
    if not 0 < len(raw) <= _MAX_NAME or not raw.isprintable():
        raise ConfigurationError("expected 1 to 64 printable characters")
    return raw


def read_client_cert(raw: Path) -> Path:
    """Return the path of a certificate with its key, or raise ConfigurationError."""
    if not _is_file(raw):
        raise ConfigurationError(f"no file at {raw}; expected a certificate and its key in PEM")
    return raw


def read_start_wait(raw: float) -> float:
    """Return a number of seconds, or raise ConfigurationError."""
    if not 0 <= raw <= _MAX_START_WAIT:  # nor a NaN, which is in no range
        raise ConfigurationError("expected a number of seconds, from 0 to 3600")
    return raw


def read_server_url(raw: str, *, insecure: bool) -> str:
    """Return a URL that paths can be appended to.

    Args:
        raw: as configured.
        insecure: accept plain http to another machine.

    Raises:
        ConfigurationError: anything but http or https with a host; user names and passwords;
            http to another machine. The URL itself is never shown: it may hold a password.
    """
    parts = _split_url(raw)
    if parts.scheme not in ("https", "http") or not _has_plain_host(parts):
        raise ConfigurationError(_EXPECTED_URL)
    if "@" in parts.netloc:
        raise ConfigurationError(f"{_EXPECTED_URL}, without user name or password")
    if parts.query or parts.fragment or raw.endswith(("?", "#")):
        raise ConfigurationError(f"{_EXPECTED_URL}, without ? and #")
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


def _split_url(raw: str) -> SplitResult:
    # urlsplit drops newlines and tabs, and takes a backslash for a letter where others take it
    # for a slash: what it would see is not what was written.
    if not raw.isascii() or not raw.isprintable() or set(raw) & set(" \\") or len(raw) > _MAX_URL:
        raise ConfigurationError(f"{_EXPECTED_URL}, in printable ASCII")
    try:
        parts = urlsplit(raw)
        parts.port  # noqa: B018 - the property raises when it is not a port
    except ValueError as error:
        raise ConfigurationError(_EXPECTED_URL) from error
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
