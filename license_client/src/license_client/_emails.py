"""The canonical form of an owner's email address: two spellings of one address become equal.

Dots and plus tags are kept: they tell people apart at some providers. A local part outside ASCII
is refused, because case folding makes different people equal there.
"""

from typing import Final

from license_client.errors import EmailMalformedError

MAX_BYTES: Final = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
_MAX_LOCAL: Final = 64  # RFC 5321 section 4.5.3.1.1
_LOCAL_SYMBOLS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_{|}~.-")
_LABEL_SYMBOLS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_MAX_LABEL: Final = 63  # RFC 1035 section 2.3.4
_ASCII_SPACE: Final = " \t\n\r\f\v"


class Email(str):
    """An address in canonical form, as `read_email` alone makes it; its `repr` hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Email(…)"


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
    if len(canonical) > MAX_BYTES:
        raise EmailMalformedError(
            f"the email address is longer than {MAX_BYTES} bytes", rule="too-long"
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
