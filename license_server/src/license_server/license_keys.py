"""License keys: making, reading and showing them.

A key is 30 symbols of Crockford's base32: 26 random ones (130 bits) and 4 that check them. The
prefix before them is cosmetic. Both sides of the contract read keys by the same steps.
"""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import Final, Self

from license_server.errors import KeyMalformed

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O or U."""

RANDOM_SYMBOLS: Final = 26
CHECK_SYMBOLS: Final = 4
MAX_TEXT_LENGTH: Final = 128
"""Longest text that is read at all, in code points (contract, "Inputs")."""

_SYMBOLS: Final = RANDOM_SYMBOLS + CHECK_SYMBOLS
_GROUP: Final = 5
_CHECK_LABEL: Final = b"license-key-v1"
_CHECK_BITS: Final = 5 * CHECK_SYMBOLS
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
_MINUS_SIGN: Final = "\u2212"  # typed for a dash, though Unicode calls it a symbol
_ALLOWED: Final = frozenset(ALPHABET)
_SYMBOL_OF_BYTE: Final = (ALPHABET * 8).encode("ascii")
"""Takes the low 5 bits of each byte: as fair as the byte is random."""


@dataclass(frozen=True, slots=True)
class LicenseKey:
    """A well-formed license key; its `repr` shows only the hint.

    Attributes:
        symbols: the 30 canonical ASCII symbols, the form that every formula uses.
    """

    symbols: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as people type it: any case, dashes, spaces, look-alike letters.

        Raises:
            KeyMalformed: it is too long, too short, has foreign symbols or a bad checksum.
        """
        if len(text) > MAX_TEXT_LENGTH:
            raise KeyMalformed(f"a license key has at most {MAX_TEXT_LENGTH} characters")
        symbols = _bare(text).upper()[-_SYMBOLS:].translate(_LOOKALIKES)
        if len(symbols) < _SYMBOLS:
            raise KeyMalformed(f"a license key has {_SYMBOLS} letters and digits after its prefix")
        if not _ALLOWED.issuperset(symbols):
            raise KeyMalformed("the license key holds a character that no key has")
        if check_symbols(_CHECK_LABEL, symbols[:RANDOM_SYMBOLS]) != symbols[RANDOM_SYMBOLS:]:
            raise KeyMalformed("the license key is mistyped: its last symbols do not fit the rest")
        return cls(symbols)

    @classmethod
    def generate(cls) -> Self:
        """Make a new key of 130 random bits."""
        drawn = random_symbols(RANDOM_SYMBOLS)
        return cls(drawn + check_symbols(_CHECK_LABEL, drawn))

    @property
    def hint(self) -> str:
        """Its 4 check symbols: enough for a person to tell keys apart, useless to a thief."""
        return self.symbols[RANDOM_SYMBOLS:]

    def reveal(self, prefix: str) -> str:
        """Return the whole key as its owner sees it: `PREFIX-XXXXX-…`, once, at issue."""
        starts = range(0, _SYMBOLS, _GROUP)
        return "-".join([prefix, *(self.symbols[i : i + _GROUP] for i in starts)])

    def __str__(self) -> str:
        return f"…{self.hint}"


def random_symbols(count: int) -> str:
    """Draw `count` symbols of 5 random bits each."""
    return secrets.token_bytes(count).translate(_SYMBOL_OF_BYTE).decode("ascii")


def check_symbols(label: bytes, symbols: str) -> str:
    """Return the first 20 bits of SHA-256(label, symbols) as 4 symbols, most significant first."""
    digest = hashlib.sha256(label + symbols.encode("ascii")).digest()
    number = int.from_bytes(digest[:4], "big") >> (32 - _CHECK_BITS)
    shifts = range(_CHECK_BITS - 5, -1, -5)
    return "".join(ALPHABET[(number >> shift) & 31] for shift in shifts)


def _bare(text: str) -> str:
    """Drop white space, dashes and invisible characters after NFKC."""
    if text.isascii():  # what almost all are: the same result at a third of the cost
        return text.encode("ascii").translate(None, _ASCII_DECORATION).decode("ascii")
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not _is_decoration(c))


def _is_decoration(character: str) -> bool:
    if character in _INVISIBLE or character == _MINUS_SIGN or character.isspace():
        return True
    return unicodedata.category(character) == "Pd"


_ASCII_DECORATION: Final = bytes(code for code in range(128) if _is_decoration(chr(code)))
