"""Tokens that say where the next page begins: sealed, so that nobody makes or changes one.

They hold values of rows. A key of the operator's root secret seals them, or, where there is none,
one of this process, whose tokens end with it.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Final

from db_api.rest_errors import RestError
from db_api.sealing import KEY_BYTES, RootKeys, UnsealError

_PURPOSE: Final = "page-tokens"


class PageTokens:
    """Makes and reads tokens.

    Args:
        keys: the root secret; None = there is none.
    """

    def __init__(self, keys: RootKeys | None) -> None:
        self._sealer = (keys or RootKeys(secrets.token_bytes(KEY_BYTES))).sealer(_PURPOSE)

    def write(self, keys: str, context: str) -> str:
        """Write a token.

        Args:
            keys: of the last row, as a JSON array of texts.
            context: what is read in which order; it opens for nothing else.
        """
        return urlsafe_b64encode(self._sealer.seal(keys, context)).decode().rstrip("=")

    def read(self, token: str, context: str) -> list[str | None]:
        """Read a token.

        Raises:
            RestError: it is none of ours, or of another table or order.
        """
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            keys: list[str | None] = json.loads(self._sealer.unseal(sealed, context))
        except (ValueError, Base64Error, UnsealError):
            raise self.refusal() from None
        return keys

    def refusal(self) -> RestError:
        """Make the error for a token that is of no use."""
        return RestError(
            "DBAPI431",
            "_after is not a token of this table and order",
            hint="Follow the Link of the page before, or begin without _after.",
        )
