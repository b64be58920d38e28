"""Reading what providers send: JSON that they may extend, so only what is used is looked at."""

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from license_server.emails import Email
from license_server.errors import CredentialInvalid, FieldError, InvalidField, MalformedJson
from license_server.products import is_product_code

TOLERANCE: Final = timedelta(seconds=300)
"""How old a signed message may be, and how far in the future (Stripe's and Paddle's libraries)."""

MAX_UNITS: Final = 100
"""Licenses of one line item."""
_MAX_REFERENCE: Final = 200
_PRODUCT: Final = "license_product"


class Reader:
    """Reads members of a JSON object, each by its path.

    Args:
        members: the object.
        path: where it stands in the whole message.
    """

    def __init__(self, members: Mapping[str, Any], path: str = "") -> None:
        self._members = members
        self._path = path

    @classmethod
    def of(cls, body: bytes) -> "Reader":
        """Read a whole message.

        Raises:
            MalformedJson: it is no JSON object.
        """
        try:
            members = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise MalformedJson("a JSON object is expected") from error
        if not isinstance(members, dict):
            raise MalformedJson("a JSON object is expected")
        return cls(members)

    def child(self, name: str) -> "Reader":
        """Return an object inside; an empty one if it is missing or null."""
        value = self._members.get(name)
        return Reader(value if isinstance(value, dict) else {}, f"{self._path}{name}.")

    def children(self, name: str) -> Sequence["Reader"]:
        """Return the objects of a list inside; none if it is missing."""
        values = self._members.get(name)
        listed = values if isinstance(values, list) else []
        return [
            Reader(value if isinstance(value, dict) else {}, f"{self._path}{name}.{number}.")
            for number, value in enumerate(listed)
        ]

    def get(self, name: str) -> object:
        """Return a member as it is; None if it is missing."""
        return self._members.get(name)

    def text(self, name: str) -> str | None:
        """Return a text or a number as text; None if it is missing or null.

        Raises:
            InvalidField: it is something else, or too long.
        """
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise self._broken(name, "a text is expected")
        if not 0 < len(str(value)) <= _MAX_REFERENCE or not str(value).isprintable():
            raise self._broken(name, f"1 to {_MAX_REFERENCE} printable characters are expected")
        return str(value)

    def required(self, name: str) -> str:
        """Return a text.

        Raises:
            InvalidField: it is missing or no text.
        """
        value = self.text(name)
        if value is None:
            raise self._broken(name, "a text is expected")
        return value

    def email(self, name: str) -> Email:
        """Return an email.

        Raises:
            InvalidField: it is missing or no email.
        """
        return Email.parse(self.required(name))

    def instant(self, name: str) -> datetime | None:
        """Return an instant given as Unix seconds or RFC 3339; None if it is missing or null.

        Raises:
            InvalidField: it is neither.
        """
        value = self._members.get(name)
        if value is None:
            return None
        try:
            if type(value) is int:
                return datetime.fromtimestamp(value, UTC)
            return datetime.fromisoformat(value).astimezone(UTC).replace(microsecond=0)
        except (ValueError, TypeError, OverflowError, OSError) as error:
            raise self._broken(name, "an instant is expected") from error

    def units(self, name: str) -> int:
        """Return how many were bought; 1 if that is not said.

        Raises:
            InvalidField: it is no number from 1 to `MAX_UNITS`.
        """
        value = self._members.get(name, 1)
        if type(value) is not int or not 1 <= value <= MAX_UNITS:
            raise self._broken(name, f"a number from 1 to {MAX_UNITS} is expected")
        return value

    def product(self) -> str | None:
        """Return our product code from the metadata that the vendor has set; None = it is not ours.

        Raises:
            InvalidField: it is no product code.
        """
        code = self.text(_PRODUCT)
        if code is not None and not is_product_code(code):
            raise self._broken(_PRODUCT, "a product code is expected")
        return code

    def _broken(self, name: str, expected: str) -> InvalidField:
        return InvalidField(FieldError(f"{self._path}{name}", expected))


def require_signature(secrets: Iterable[str], message: bytes, given: Iterable[str]) -> None:
    """Do nothing if one of the given hex digests is HMAC-SHA256 of `message` under a secret.

    Raises:
        CredentialInvalid: none is.
    """
    presented = [digest.encode("utf-8", "replace") for digest in given]
    for secret in secrets:
        good = hmac.new(secret.encode(), message, sha256).hexdigest().encode()
        if any(hmac.compare_digest(good, digest) for digest in presented):
            return
    raise CredentialInvalid("the signature is not that of the configured secret")


def require_recent(seconds: str, now: datetime) -> None:
    """Do nothing if a signed time is near.

    Raises:
        CredentialInvalid: it is not, so this may be an old message played back.
    """
    is_number = seconds.isascii() and seconds.isdigit() and len(seconds) <= len("9999999999")
    if not is_number or abs(int(seconds) - now.timestamp()) > TOLERANCE.total_seconds():
        raise CredentialInvalid("the signed time is too far from now")
