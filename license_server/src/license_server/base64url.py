"""base64url without padding, in the one canonical spelling (RFC 4648, section 5)."""

import base64
import binascii


def encode(data: bytes) -> str:
    """Return `data` as base64url text."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


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
