"""Email addresses: the one canonical spelling, and what a server stores of it."""

import hmac
import re
import unicodedata

import idna

from reference.flaw import FlawError, require

_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def read_email(text: str) -> str:
    """Read an address; the flaw is at-sign, local-part, domain or too-long."""
    trimmed = unicodedata.normalize("NFC", text).strip(" \t\n\r\f\v")
    require(trimmed.count("@") == 1, "at-sign")
    local, domain = trimmed.split("@")
    require(local.isascii() and _LOCAL.fullmatch(local.lower()), "local-part")
    email = f"{local.lower()}@{_ascii_domain(domain)}"
    require(len(email) <= 254, "too-long")
    return email


def _ascii_domain(domain: str) -> str:
    try:
        name = domain if domain.isascii() else idna.encode(domain, uts46=True, std3_rules=True)
        labels = str(name, "ascii") if isinstance(name, bytes) else name
        for label in labels.lower().split("."):
            require(_LABEL.fullmatch(label), "domain")
            if label.startswith("xn--"):
                idna.decode(label)
    except UnicodeError as error:
        raise FlawError("domain") from error
    require("." in labels, "domain")
    return labels.lower()


def blind_index(email: str, pepper: bytes) -> bytes:
    """Compute what a server stores to find an address."""
    return hmac.digest(pepper, b"email-v1\0" + email.encode(), "sha256")


def domain_index(email: str, pepper: bytes) -> bytes:
    """Compute what a server stores to find all addresses of a domain."""
    domain = email.split("@")[1]
    return hmac.digest(pepper, b"email-domain-v1\0" + domain.encode(), "sha256")
