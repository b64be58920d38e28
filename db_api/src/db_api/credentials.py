"""Read what a request presents: HTTP Basic or an API key. Pure; nothing is checked here."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from db_api.api_keys import is_key
from db_api.errors import CredentialInvalidError, CredentialMissingError

_MAX_BASIC_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """A user and password, as presented."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """An API key in the right form, as presented."""

    text: str = field(repr=False)


def read_credential(headers: Iterable[tuple[bytes, bytes]]) -> BasicLogin | PresentedKey:
    """Find the one credential of a request.

    Supabase's clients send the same key as `apikey` and as `Authorization: Bearer`.

    Args:
        headers: names in lower case.

    Raises:
        CredentialMissingError: there is none.
        CredentialInvalidError: it is malformed, or there are two different ones.
    """
    presented = {value for name, value in headers if name == b"apikey"}
    for name, value in headers:
        if name != b"authorization":
            continue
        scheme, _, rest = value.partition(b" ")
        if scheme.lower() != b"bearer":
            presented.add(value)
        else:
            presented.add(rest.strip())
    if not presented:
        raise CredentialMissingError(
            "This route needs a credential and the request has none.",
            hint="Send an API key as `apikey` or `Authorization: Bearer`, or log in by HTTP Basic.",
        )
    if len(presented) > 1:
        raise CredentialInvalidError(
            "The request has several different credentials.",
            hint="Send one API key (as `apikey`, `Authorization: Bearer`, or the same in both), "
            "or HTTP Basic alone.",
        )
    return _parse(presented.pop())


def _parse(presented: bytes) -> BasicLogin | PresentedKey:
    text = presented.decode("latin-1")
    if is_key(text):
        return PresentedKey(text)
    scheme, _, encoded = text.partition(" ")
    if scheme.lower() == "basic" and len(encoded) <= _MAX_BASIC_LENGTH:
        return _parse_basic(encoded.strip())
    raise CredentialInvalidError(
        "The credential is neither an API key nor HTTP Basic.",
        hint="An API key has 64 hexadecimal digits; `POST /api/project/{schema}/keys` makes one.",
    )


def _parse_basic(encoded: str) -> BasicLogin:
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:  # no base64, or no UTF-8 in it
        decoded = ""
    user, colon, password = decoded.partition(":")
    if not colon:
        raise CredentialInvalidError("The credential of HTTP Basic is malformed (RFC 7617).")
    return BasicLogin(user, password)
