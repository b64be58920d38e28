"""The vendor's work by SQLAlchemy, one transaction at a time: ease of change before speed."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import datetime
from functools import cached_property

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from license_server.errors import StateConflict
from license_server.repository.database import Database, naming_faults
from license_server.repository.deployments import SqlDeployments
from license_server.repository.idempotency import SqlIdempotency
from license_server.repository.imports import (
    ChangeMembers,
    CopiedImport,
    ImportLine,
    SpooledImport,
)
from license_server.repository.keys import SqlKeys
from license_server.repository.licenses import SqlLicenses
from license_server.repository.operators import SqlOperators
from license_server.repository.outbox import SqlOutbox
from license_server.repository.owners import SqlOwners
from license_server.repository.payments import SqlPayments
from license_server.repository.products import SqlProducts
from license_server.repository.recovery import SqlRecovery
from license_server.repository.sessions import SqlSessions
from license_server.repository.state import SqlState
from license_server.repository.stats import SqlStats
from license_server.repository.tokens import SqlTokens
from license_server.repository.trail import SqlAudit
from license_server.repository.webhooks import SqlWebhooks
from license_server.spools import Spool
from license_server.stores import Import


class SqlRepository:
    """The `Repository` of either database.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.engine()
        self._is_sqlite = database.path is not None
        self._turn = database.turn if self._is_sqlite else nullcontext()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SqlTransaction"]:
        """See `Repository.transaction`."""
        with _naming_faults():
            async with self._turn, self._engine.begin() as connection:
                yield SqlTransaction(connection)

    @asynccontextmanager
    async def importing(self, now: datetime) -> AsyncIterator[Import]:
        """See `Repository.importing`."""
        with Spool[list[ChangeMembers]]() as changes:
            if self._is_sqlite:
                with Spool[list[ImportLine]]() as batches:
                    yield SpooledImport(self.transaction, batches, changes, now)
                return
            with _naming_faults():
                async with self._engine.connect() as connection:
                    under_way = CopiedImport(SqlTransaction(connection), changes, now)
                    try:
                        yield under_way
                    finally:
                        await under_way.close()


class SqlTransaction:
    """The `Transaction` of one connection.

    Args:
        connection: inside a transaction.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    @cached_property
    def products(self) -> SqlProducts:
        """Products."""
        return SqlProducts(self.connection)

    @cached_property
    def owners(self) -> SqlOwners:
        """Owners."""
        return SqlOwners(self.connection)

    @cached_property
    def licenses(self) -> SqlLicenses:
        """Licenses."""
        return SqlLicenses(self.connection)

    @cached_property
    def keys(self) -> SqlKeys:
        """License keys."""
        return SqlKeys(self.connection)

    @cached_property
    def deployments(self) -> SqlDeployments:
        """Deployments."""
        return SqlDeployments(self.connection)

    @cached_property
    def tokens(self) -> SqlTokens:
        """Admin tokens."""
        return SqlTokens(self.connection)

    @cached_property
    def operators(self) -> SqlOperators:
        """Operators."""
        return SqlOperators(self.connection)

    @cached_property
    def sessions(self) -> SqlSessions:
        """Sessions of browsers."""
        return SqlSessions(self.connection)

    @cached_property
    def audit(self) -> SqlAudit:
        """The audit log."""
        return SqlAudit(self.connection)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """The outbox."""
        return SqlOutbox(self.connection)

    @cached_property
    def webhooks(self) -> SqlWebhooks:
        """Webhook endpoints."""
        return SqlWebhooks(self.connection)

    @cached_property
    def recovery(self) -> SqlRecovery:
        """One-time links."""
        return SqlRecovery(self.connection)

    @cached_property
    def payments(self) -> SqlPayments:
        """Payments."""
        return SqlPayments(self.connection)

    @cached_property
    def idempotency(self) -> SqlIdempotency:
        """Answers that may be asked for again."""
        return SqlIdempotency(self.connection)

    @cached_property
    def stats(self) -> SqlStats:
        """Counts."""
        return SqlStats(self.connection)

    @cached_property
    def state(self) -> SqlState:
        """The server's own state."""
        return SqlState(self.connection)


@contextmanager
def _naming_faults() -> Iterator[None]:
    with naming_faults():
        try:
            yield
        except IntegrityError as error:
            raise StateConflict("another change came first: look and try again") from error
