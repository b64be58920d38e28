"""License keys: how one is made, how what a person typed is read, how it is kept."""

import hashlib
import hmac
import unicodedata

from reference.flaw import require

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32
SYMBOLS = 30
CHECK_SYMBOLS = 4
_DROPPED = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u2212"


def check_symbols(body: str) -> str:
    """Compute the 4 symbols that follow the 26 random ones: 20 bits, most significant first."""
    digest = hashlib.sha256(b"license-key-v1" + body.encode()).digest()
    bits = int.from_bytes(digest[:3], "big") >> 4
    return "".join(ALPHABET[bits >> shift & 31] for shift in (15, 10, 5, 0))


def whole_key(body: str) -> str:
    """Complete 26 random symbols to the 30 that are the key."""
    return body + check_symbols(body)


def printed(key: str, prefix: str) -> str:
    """Write a key as people see it."""
    return "-".join([prefix, *(key[at : at + 5] for at in range(0, SYMBOLS, 5))])


def read_key(text: str) -> str:
    """Read what a person typed; the flaw is too-long, too-short, alphabet or checksum."""
    require(len(text) <= 128, "too-long")
    kept = [char for char in unicodedata.normalize("NFKC", text) if not _is_dropped(char)]
    last = "".join(kept).upper()[-SYMBOLS:]
    require(len(last) == SYMBOLS, "too-short")
    key = last.translate(str.maketrans("OIL", "011"))
    require(set(key) <= set(ALPHABET), "alphabet")
    require(key == whole_key(key[:-CHECK_SYMBOLS]), "checksum")
    return key


def _is_dropped(char: str) -> bool:
    return char.isspace() or char in _DROPPED or unicodedata.category(char) == "Pd"


def lookup_hash(key: str, pepper: bytes) -> bytes:
    """Compute what a server stores instead of the key."""
    return hmac.digest(pepper, b"license-key-v1\0" + key.encode(), "sha256")
