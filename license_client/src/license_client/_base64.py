"""Canonical base64url without padding (RFC 4648 section 5): one spelling for each value.

The last character of an unpadded text has spare bits, so a signature has up to sixteen spellings,
and most decoders skip what they do not know. Here a text that is not what `encode` would have
written is refused.
"""

import binascii

from license_client._json import MalformedError

_TO_STANDARD = str.maketrans("-_", "+/")


def encode(data: bytes) -> str:
    """Return the one canonical spelling of `data`."""
    text = binascii.b2a_base64(data, newline=False).decode("ascii")
    return text.rstrip("=").replace("+", "-").replace("/", "_")


def decode(text: str) -> bytes:
    """Return the bytes that `text` spells.

    Raises:
        MalformedError: `text` is not canonical base64url.
    """
    padded = text.translate(_TO_STANDARD) + "=" * (-len(text) % 4)
    try:
        data = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError as error:  # binascii.Error and non-ASCII text alike
        raise MalformedError("not base64url", rule="base64url") from error
    if encode(data) != text:
        raise MalformedError("not canonical base64url", rule="base64url")
    return data


def decode_exactly(text: str, size: int) -> bytes:
    """Return the `size` bytes that `text` spells.

    Raises:
        MalformedError: `text` is not canonical base64url of `size` bytes.
    """
    data = decode(text)
    if len(data) != size:
        raise MalformedError(f"expected {size} bytes of base64url")
    return data
