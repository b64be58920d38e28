"""What is remembered of a credential that came in the clear: a line of the log, a row of the audit.

The row is for keys that exist, once a key and process: whoever sends made-up ones in the clear
fills no table.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Scope

from db_api.api_keys import ApiKey, digest_of, prefix_of
from db_api.control.audit import Actor, record
from db_api.control.database import transaction
from db_api.credentials import BasicLogin, PresentedKey, read_credential
from db_api.errors import CredentialInvalidError, CredentialMissingError, DataApiError

_log = structlog.get_logger(__name__)


class Exposures:
    """Takes note of exposed credentials.

    Args:
        find: looks a key up by its digest.
        engine: of the service's own tables.
        utc_now: the wall clock.
    """

    def __init__(
        self,
        find: Callable[[bytes], Awaitable[ApiKey | None]],
        engine: AsyncEngine,
        utc_now: Callable[[], datetime],
    ) -> None:
        self._find = find
        self._engine = engine
        self._utc_now = utc_now
        self._recorded: set[bytes] = set()  # digests of keys that exist

    async def note(self, scope: Scope) -> None:
        """Take note of the credential of a request, if it has one in a known form."""
        try:
            credential = read_credential(scope["headers"])
        except (CredentialMissingError, CredentialInvalidError):
            return
        if isinstance(credential, BasicLogin):
            _log.warning("credential.exposed", kind="login")
            return
        _log.warning("credential.exposed", kind="key", key_prefix=prefix_of(credential.text))
        with suppress(DataApiError):  # the database does not answer: the line has to do
            await self._record(credential, scope["state"]["request_id"])

    async def _record(self, presented: PresentedKey, request_id: str) -> None:
        digest = digest_of(presented.text)
        if digest in self._recorded:
            return
        key = await self._find(digest)
        if key is None:
            return
        actor = Actor("edge", request_id, self._utc_now())
        details = {"schema": key.schema, "prefix": key.prefix}
        async with transaction(self._engine) as connection:
            await record(connection, actor, "key.exposed", f"key:{key.id}", details)
        self._recorded.add(digest)
