"""Imports into their tables: all lines in one transaction, and nobody held up for long by it.

Rows are made before they need a lock. On PostgreSQL a batch is copied while the next one is made.
A SQLite file has one writer at a time: there all batches wait in a spool until the import is
whole, and the file is locked while they are stored, no longer. On either database the audit log
comes last, because whoever appends to it holds up all other changes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from license_server.audit import Change, State
from license_server.errors import StateConflict
from license_server.licenses import Kind
from license_server.repository.keys import key_values
from license_server.repository.licenses import new_values
from license_server.repository.owners import SqlOwners, owner_values
from license_server.repository.rows import Values
from license_server.repository.store import Store
from license_server.repository.tables import license_keys, licenses, owners
from license_server.repository.trail import SqlAudit
from license_server.spools import Spool
from license_server.stores import Prepared, Transaction

if TYPE_CHECKING:
    from license_server.repository.transaction import SqlTransaction  # which imports this module

_BATCH: Final = 1_000
_SQLITE_CACHE: Final = text("PRAGMA cache_size = -65536")  # in KiB; 2 MiB is its own choice


class ImportLine(NamedTuple):
    """The rows of a line; that of the license gets its owner when it is stored."""

    number: int
    email_indexes: tuple[bytes, ...]
    owner: Values
    license: Values
    key: Values


ChangeMembers = tuple[str, str, str, State | None, State | None, str | None]
"""The members of a `Change`, in their order."""


class _Gathering:
    """What both ways have in common: lines are gathered to batches.

    Args:
        changes: empty; gets those of all lines.
        now: the time of the import.
    """

    def __init__(self, changes: Spool[list[ChangeMembers]], now: datetime) -> None:
        self._changes = changes
        self._now = now
        self._waiting: list[ImportLine] = []
        self._waiting_changes: list[ChangeMembers] = []

    async def add(self, lines: Sequence[Prepared]) -> None:
        """See `Import`."""
        self._waiting += [_rows_of(line, self._now) for line in lines]
        self._waiting_changes += [_members_of(line.change) for line in lines]
        if len(self._waiting) >= _BATCH:
            await self._hand_on()

    async def _hand_on(self) -> None:
        batch, self._waiting = self._waiting, []
        changes, self._waiting_changes = self._waiting_changes, []
        self._changes.add(changes)
        await self._take(batch)

    async def _take(self, batch: list[ImportLine]) -> None:
        raise NotImplementedError

    async def _append_changes(self, connection: AsyncConnection) -> None:
        for batch in self._changes:
            changes = [Change(*members) for members in batch]
            await SqlAudit(connection).append(changes, self._now)


class CopiedImport(_Gathering):
    """The `Import` of PostgreSQL.

    Args:
        transaction: what is not finished is the caller's to undo.
        changes: see `_Gathering`.
        now: see `_Gathering`.
    """

    def __init__(
        self,
        transaction: "SqlTransaction",
        changes: Spool[list[ChangeMembers]],
        now: datetime,
    ) -> None:
        super().__init__(changes, now)
        self._transaction = transaction
        self._connection = transaction.connection
        self._storing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def finished(self) -> AsyncIterator[Transaction]:
        """See `Import`."""
        await self._hand_on()
        await self._stored()
        await self._append_changes(self._connection)
        yield self._transaction
        await self._connection.commit()

    async def close(self) -> None:
        """Stop what is under way."""
        if self._storing is not None:
            self._storing.cancel()
            with suppress(asyncio.CancelledError):
                await self._storing

    async def _take(self, batch: list[ImportLine]) -> None:
        """Copy a batch while the next one is made; what is wrong with it is told then."""
        await self._stored()
        self._storing = asyncio.create_task(_Lines(self._connection).add(batch, self._now))

    async def _stored(self) -> None:
        storing, self._storing = self._storing, None
        if storing is not None:
            await storing


class SpooledImport(_Gathering):
    """The `Import` of SQLite.

    Args:
        begin: begins a transaction.
        batches: empty; gets the lines.
        changes: see `_Gathering`.
        now: see `_Gathering`.
    """

    def __init__(
        self,
        begin: "Callable[[], AbstractAsyncContextManager[SqlTransaction]]",
        batches: Spool[list[ImportLine]],
        changes: Spool[list[ChangeMembers]],
        now: datetime,
    ) -> None:
        super().__init__(changes, now)
        self._begin = begin
        self._batches = batches

    @asynccontextmanager
    async def finished(self) -> AsyncIterator[Transaction]:
        """See `Import`."""
        await self._hand_on()
        async with self._begin() as transaction:
            connection = transaction.connection
            await connection.execute(_SQLITE_CACHE)
            for batch in self._batches:
                await _Lines(connection).add(batch, self._now)
            await self._append_changes(connection)
            yield transaction

    async def _take(self, batch: list[ImportLine]) -> None:
        self._batches.add(batch)


class _Lines(Store):
    """Stores lines: licenses, their keys, and those of their owners that are missing."""

    async def add(self, lines: Sequence[ImportLine], now: datetime) -> None:
        """Store a batch."""
        for line in lines:
            if line.license["kind"] == Kind.TRIAL.value:
                await self._claim_trial(line, now)
        owner_ids = await self._owner_ids(lines)
        await self._add_many(
            licenses,
            [line.license | {"owner_id": owner_ids[line.email_indexes]} for line in lines],
        )
        await self._add_many(license_keys, [line.key for line in lines])

    async def _owner_ids(self, lines: Sequence[ImportLine]) -> Mapping[tuple[bytes, ...], object]:
        """Return the owner of each email, making those that are missing."""
        by_email = {line.email_indexes: line.owner for line in lines}
        found = await SqlOwners(self._connection).ids_of(
            [index for indexes in by_email for index in indexes]
        )
        ids: dict[tuple[bytes, ...], object] = {}
        missing: list[Values] = []
        for indexes, owner in by_email.items():
            ids[indexes] = next((found[index] for index in indexes if index in found), None)
            if ids[indexes] is None:
                missing.append(owner)
                ids[indexes] = owner["id"]
        await self._add_many(owners, missing)
        return ids

    async def _claim_trial(self, line: ImportLine, now: datetime) -> None:
        product, pepper_id = str(line.license["product"]), str(line.owner["pepper_id"])
        is_first = await SqlOwners(self._connection).claim_trial(
            product, line.email_indexes, pepper_id, now
        )
        if not is_first:
            raise StateConflict(
                f"line {line.number}: this email had a trial of this product before"
            )


def _rows_of(line: Prepared, now: datetime) -> ImportLine:
    return ImportLine(
        line.number,
        line.email_indexes,
        owner_values(line.owner, now),
        new_values(line.new),
        key_values(line.new.key, now),
    )


def _members_of(change: Change) -> ChangeMembers:
    return (
        change.actor,
        change.action,
        change.subject,
        change.before,
        change.after,
        change.request_id,
    )
