"""Looking for secrets in what a thief of a database or a reader of logs holds.

A secret is looked for as text in any case and as the usual encodings of it; bytes that a dump
shows as hex are looked through as bytes too.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Final

_HEX: Final = re.compile(rb"(?:\\\\x|0x|\b)((?:[0-9a-f]{2}){4,})\b")


class Haystack:
    """What is looked through: the content, and the bytes of all hex that stands in it."""

    def __init__(self, content: bytes) -> None:
        lowered = content.lower()
        unhexed = (bytes.fromhex(found.decode()) for found in _HEX.findall(lowered))
        self._content = b"\n".join([lowered, *(one.lower() for one in unhexed)])

    def __contains__(self, secret: str | bytes) -> bool:
        """Ask whether a secret stands in it in any spelling."""
        return any(spelling.lower() in self._content for spelling in spellings(secret))

    def leaked(self, secrets: Mapping[str, str | bytes]) -> list[str]:
        """Return the names of the secrets that stand in it."""
        return sorted(name for name, secret in secrets.items() if secret in self)


def spellings(secret: str | bytes) -> Iterator[bytes]:
    """Yield a secret as it is, in hex, and in base64 and base64url at each alignment."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    for form in dict.fromkeys(
        (raw, raw.lower(), raw.upper()) if isinstance(secret, str) else [raw]
    ):
        yield form
        yield form.hex().encode()
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + form)
            inner = encoded[4 if shift else 0 : -4]  # the ends depend on what stands beside it
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def secrets_of_key(key: str) -> dict[str, str]:
    """Return what must not be found of a license key, by name.

    Whatever holds more of it (the prefix, the check symbols) holds one of these.
    """
    groups = key.partition("-")[2]
    return {"key": groups, "secret part": groups.replace("-", "")[:26]}
