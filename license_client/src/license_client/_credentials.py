"""What a customer proves a license with, as people type it: a key and its owner's email address.

A key is 26 random Crockford base32 symbols (130 bits) and 4 check symbols, so that a mistyped key
is told at once and never sent. What stands before the last 30 symbols (`LIC-`) is for people and
secret scanners.

Of an email address two spellings become equal. Dots and plus tags are kept: they tell people apart
at some providers. A local part outside ASCII is refused, because case folding makes different
people equal there.
"""

from typing import Final, NamedTuple

from license_client._json import to_base64url
from license_client._signatures import hmac_sha256, sha256
from license_client.errors import EmailMalformedError, KeyMalformedError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
MAX_TYPED_LENGTH: Final = 128  # code points, before anything is done with them
SYMBOLS: Final = 30
CHECK_SYMBOLS: Final = 4
_CHECK_DOMAIN: Final = b"license-key-v1"
_INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
_MINUS_SIGN: Final = "\u2212"  # category Sm, but what some keyboards type for a dash
_LOOKALIKES: Final = str.maketrans("OIL", "011")
MAX_EMAIL_BYTES: Final = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
_MAX_LOCAL: Final = 64  # RFC 5321 section 4.5.3.1.1
_LOCAL_SYMBOLS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_{|}~.-")
_LABEL_SYMBOLS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_MAX_LABEL: Final = 63  # RFC 1035 section 2.3.4
_ASCII_SPACE: Final = " \t\n\r\f\v"


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
        return to_base64url(hmac_sha256(self._symbols, f"{label}.{value}".encode()))

    def __eq__(self, other: object) -> bool:
        # By their tags, which tell whoever times the comparison nothing about the key.
        return isinstance(other, LicenseKey) and self.binding("eq", "") == other.binding("eq", "")

    def __hash__(self) -> int:
        return hash(self._symbols)

    def __repr__(self) -> str:
        return "LicenseKey(…)"


class Email(str):
    """An address in canonical form, as `read_email` alone makes it; its `repr` hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Email(…)"


class Credentials(NamedTuple):
    """What a customer proves a license with."""

    key: LicenseKey
    email: Email


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


def read_email(typed: str) -> Email:
    """Read an email address as people type it.

    Raises:
        EmailMalformedError: with what is wrong, and never the address.
    """
    address = _compose(typed).strip(_ASCII_SPACE)
    local, at, domain = address.partition("@")
    if not at or "@" in domain:
        raise EmailMalformedError("the email address needs exactly one @", rule="at-sign")
    canonical = f"{_canonical_local(local)}@{_canonical_domain(domain)}"
    if len(canonical) > MAX_EMAIL_BYTES:
        raise EmailMalformedError(
            f"the email address is longer than {MAX_EMAIL_BYTES} bytes", rule="too-long"
        )
    return Email(canonical)


def _compose(typed: str) -> str:
    if typed.isascii():
        return typed
    import unicodedata  # noqa: PLC0415 - a megabyte that an ASCII address does not need

    return unicodedata.normalize("NFC", typed)


def _canonical_local(local: str) -> str:
    if not local.isascii():
        raise EmailMalformedError(
            "the part of the email address before the @ must be ASCII", rule="local-part"
        )
    lowered = local.lower()
    if not 0 < len(lowered) <= _MAX_LOCAL or not set(lowered) <= _LOCAL_SYMBOLS:
        raise EmailMalformedError(
            "the part of the email address before the @ is empty, longer than "
            f"{_MAX_LOCAL} characters, or has a character that is not allowed",
            rule="local-part",
        )
    return lowered


def _canonical_domain(domain: str) -> str:
    labels = _to_ascii(domain).split(".")
    if len(labels) < 2 or not all(map(_is_label, labels)):  # noqa: PLR2004 - name and suffix
        raise EmailMalformedError(
            "the part of the email address after the @ is not a domain name", rule="domain"
        )
    return ".".join(labels)


def _to_ascii(domain: str) -> str:
    lowered = domain.lower() if domain.isascii() else domain
    if lowered.isascii() and "xn--" not in lowered:
        return lowered
    # Installed wherever httpx is, whose own dependency it is; not needed for ASCII domains.
    import idna  # noqa: PLC0415 - slow to load

    try:
        if not lowered.isascii():
            return idna.encode(lowered, uts46=True, std3_rules=True).decode("ascii").lower()
        for label in lowered.split("."):
            if label.startswith("xn--"):
                idna.decode(label)
    except (idna.IDNAError, ValueError):  # UnicodeError is a ValueError
        raise EmailMalformedError(
            "the part of the email address after the @ is not an international domain name",
            rule="domain",
        ) from None  # its text quotes the domain, and would show in every traceback
    return lowered


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= _MAX_LABEL
        and set(label) <= _LABEL_SYMBOLS
        and not label.startswith("-")
        and not label.endswith("-")
    )
