"""Email addresses in the one canonical form that names an owner.

Dots and plus tags stay: they name other mailboxes at some providers. A local part that is not
ASCII is refused, because case folding of other letters makes different people equal.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final, NoReturn, Self

import idna

from license_server.errors import FieldError, InvalidField

MAX_BYTES: Final = 254
"""Longest address that mail can carry, after canonicalization (RFC 5321, 4.5.3.1.3)."""

_ASCII_WHITESPACE: Final = " \t\n\r\f\v"
_LOCAL_PART: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Email:
    """A canonical email address; its `repr` hides it.

    Attributes:
        address: `local@domain`, all lower-case ASCII.
    """

    address: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address as people type it.

        Raises:
            InvalidField: it is no address that this contract knows, as field `email`.
        """
        parts = unicodedata.normalize("NFC", text).strip(_ASCII_WHITESPACE).split("@")
        if len(parts) != 2:  # noqa: PLR2004 - the two sides of the one `@`
            _refuse("exactly one @ is expected")
        local, domain = _canonical_local(parts[0]), _canonical_domain(parts[1])
        address = f"{local}@{domain}"
        if len(address) > MAX_BYTES:
            _refuse(f"at most {MAX_BYTES} bytes are expected")
        return cls(address)

    @property
    def domain(self) -> str:
        """What follows the `@`, as lower-case A-labels."""
        return self.address.rpartition("@")[2]

    def __str__(self) -> str:
        return "…@…"


def _canonical_local(text: str) -> str:
    if not text.isascii():
        _refuse("only ASCII letters, digits and signs are supported before the @")
    local = text.lower()
    if not _LOCAL_PART.fullmatch(local):
        _refuse("1 to 64 letters, digits or signs are expected before the @")
    return local


def _canonical_domain(text: str) -> str:
    domain = text.lower() if text.isascii() else _to_a_labels(text)
    labels = domain.split(".")
    if len(labels) < 2 or not all(_is_label(label) for label in labels):  # noqa: PLR2004 - name.tld
        _refuse("a domain like example.com is expected after the @")
    return domain


def _to_a_labels(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (UnicodeError, IndexError):
        _refuse("a domain like example.com is expected after the @")


def _is_label(label: str) -> bool:
    if not _LABEL.fullmatch(label):
        return False
    if not label.startswith("xn--"):
        return True
    try:
        idna.decode(label)
    except (UnicodeError, IndexError):
        return False
    return True


def _refuse(expectation: str) -> NoReturn:
    raise InvalidField(FieldError("email", expectation))
