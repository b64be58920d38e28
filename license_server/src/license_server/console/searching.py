"""What a support person types into the one search field, and what it asks the API for."""

import re
from dataclasses import dataclass
from typing import Final

from license_server.errors import KeyMalformed
from license_server.license_keys import LicenseKey

_LICENSE_ID: Final = re.compile(r"lic_[0-9a-z]{26}")
_KEY_HINT: Final = re.compile(r"[0-9A-Za-z]{4}")
_HINT_MARKS: Final = "…. -"


@dataclass(frozen=True, slots=True)
class Search:
    """A search as members of the API's query; at most one is there.

    Attributes:
        license_id: shown at once, without a list.
        email: of the owner.
        domain: of the owner's email.
        key_hint: last 4 symbols of a key.
    """

    license_id: str | None = None
    email: str | None = None
    domain: str | None = None
    key_hint: str | None = None


def read_search(text: str) -> Search:
    """Tell an id, an email, a domain, a hint and a whole key apart.

    Of a whole key only its last symbols are used: it must not end up in an address or a log.
    """
    text = text.strip()
    if not text:
        return Search()
    if _LICENSE_ID.fullmatch(text):
        return Search(license_id=text)
    if "@" in text.lstrip("@"):
        return Search(email=text)
    try:
        return Search(key_hint=LicenseKey.parse(text).hint)
    except KeyMalformed:
        hint = text.strip(_HINT_MARKS)
    if _KEY_HINT.fullmatch(hint) and "." not in text.strip(".…"):
        return Search(key_hint=hint)
    return Search(domain=text.lstrip("@"))
