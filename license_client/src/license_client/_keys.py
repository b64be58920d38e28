"""The form of a license key: what a customer types in, 30 symbols or one error out.

A key is 26 random Crockford base32 symbols (130 bits) and 4 check symbols, so that a mistyped key
is told at once and never sent. What stands before the last 30 symbols (`LIC-`) is for people and
secret scanners.
"""

from typing import Final

from license_client import _base64
from license_client._signatures import hmac_sha256, sha256
from license_client.errors import KeyMalformedError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
MAX_TYPED_LENGTH: Final = 128  # code points, before anything is done with them
SYMBOLS: Final = 30
CHECK_SYMBOLS: Final = 4
_CHECK_DOMAIN: Final = b"license-key-v1"
_INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
_MINUS_SIGN: Final = "\u2212"  # category Sm, but what some keyboards type for a dash
_LOOKALIKES: Final = str.maketrans("OIL", "011")


class LicenseKey:
    """A well-formed license key; its text never shows in a log, an error or a repr."""

    __slots__ = ("_symbols",)

    def __init__(self, symbols: bytes) -> None:
        self._symbols = symbols

    def reveal(self) -> str:
        """Return the 30 symbols, for the request alone."""
        return self._symbols.decode("ascii")

    def binding(self, label: str, value: str) -> str:
        """Return b64url HMAC-SHA256(key, label ‖ "." ‖ value): a tie that reveals neither."""
        return _base64.encode(hmac_sha256(self._symbols, f"{label}.{value}".encode()))

    def __eq__(self, other: object) -> bool:
        # By their tags, which tell whoever times the comparison nothing about the key.
        return isinstance(other, LicenseKey) and self.binding("eq", "") == other.binding("eq", "")

    def __hash__(self) -> int:
        return hash(self._symbols)

    def __repr__(self) -> str:
        return "LicenseKey(…)"


def read_key(typed: str) -> LicenseKey:
    """Read a license key as people type and paste it.

    The order is the contract's: bound the length; fold by NFKC; drop white space, invisible and
    dash characters; upper-case; take the last 30; fold look-alikes; check alphabet and checksum.

    Raises:
        KeyMalformedError: too long, too short, a foreign symbol, or a checksum that does not fit.
    """
    if len(typed) > MAX_TYPED_LENGTH:
        raise KeyMalformedError(
            f"the license key is longer than {MAX_TYPED_LENGTH} characters", rule="too-long"
        )
    symbols = _significant(typed).upper()[-SYMBOLS:].translate(_LOOKALIKES)
    if len(symbols) < SYMBOLS:
        raise KeyMalformedError(
            f"the license key is incomplete: it has {SYMBOLS} letters and digits, of which "
            f"{len(symbols)} are there; copy it again from the mail",
            rule="too-short",
        )
    if not set(symbols) <= set(ALPHABET):
        raise KeyMalformedError(
            "the license key has a character that no license key has", rule="alphabet"
        )
    random_part = symbols[:-CHECK_SYMBOLS].encode("ascii")
    if check_symbols(random_part) != symbols[-CHECK_SYMBOLS:]:
        raise KeyMalformedError(
            "the license key is mistyped: its check symbols do not fit", rule="checksum"
        )
    return LicenseKey(symbols.encode("ascii"))


def _significant(typed: str) -> str:
    if typed.isascii():  # nearly always, and it saves the Unicode tables at start
        return "".join(char for char in typed if not char.isspace() and char != "-")
    import unicodedata  # noqa: PLC0415 - a megabyte that an ASCII key does not need

    return "".join(
        char
        for char in unicodedata.normalize("NFKC", typed)
        if not char.isspace()
        and char not in _INVISIBLE
        and char != _MINUS_SIGN
        and unicodedata.category(char) != "Pd"
    )


def check_symbols(random_part: bytes) -> str:
    """Return the 4 check symbols of 26 random ones: 20 bits of a hash, most significant first."""
    bits = int.from_bytes(sha256(_CHECK_DOMAIN + random_part)[:4]) >> 12
    return "".join(ALPHABET[bits >> shift & 31] for shift in (15, 10, 5, 0))
