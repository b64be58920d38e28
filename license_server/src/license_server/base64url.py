"""base64url without padding, in the one canonical spelling (RFC 4648, section 5)."""

import base64
import binascii
from typing import Final

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def encode(data: bytes) -> str:
    """Return `data` as base64url text."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of `text`.

    Raises:
        ValueError: it is not what `encode` would have written. The last character of a text has
            up to 16 spellings, and the standard decoder skips garbage.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("base64url is expected") from error
    if encode(data) != text:
        raise ValueError("canonical base64url without padding is expected")
    return data
