"""One option of a client, as given, to its value; what is wrong with it as one sentence."""

import os
from pathlib import Path
from typing import Final

from license_client._codes import UPDATE
from license_client._keyset import Trust, load_anchor
from license_client._sealing import KEY_BYTES, EncryptionKey
from license_client.errors import ConfigurationError, KeySetRejectedError

_ALPHANUMERIC: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
_MAX_NAME: Final = 64
_MAX_VERSION: Final = 32
_MAX_START_WAIT: Final = 3_600.0


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
