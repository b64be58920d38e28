"""Owners: found by their email, told what is known of them, and erased on request."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from license_server.desk import Desk
from license_server.emails import Email
from license_server.errors import NotFound, StateConflict
from license_server.licenses import Change, Standing
from license_server.sealing import SECRET_BYTES
from license_server.stores import (
    LicenseDetails,
    LicenseFilter,
    LicenseRecord,
    OwnerRecord,
    StoredOwner,
)

_MOST: Final = 1_000_000
"""Licenses of one owner that are looked at together."""


@dataclass(frozen=True, slots=True)
class OwnerView:
    """An owner as a vendor sees one.

    Attributes:
        owner_id: names it.
        email: None once it is erased.
        created_at: when its first license was issued.
        erased_at: when the vendor erased it.
    """

    owner_id: str
    email: Email | None
    created_at: datetime
    erased_at: datetime | None


class Owners:
    """Finds, makes and erases owners.

    Args:
        desk: where the work is done.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.transaction.owners

    async def id_of(self, email: Email) -> str:
        """Return the id of the owner of `email`, making one if there is none."""
        known = await self._store.find(self._desk.vault.peppers.email_indexes(email))
        if known is not None:
            return known.owner.owner_id
        owner = self._desk.vault.owner(email)
        await self._store.add(owner, self._desk.now)
        return owner.owner_id

    async def find(self, email: Email) -> OwnerView | None:
        """Return the owner of `email`."""
        record = await self._store.find(self._desk.vault.peppers.email_indexes(email))
        return None if record is None else self._view(record)

    async def get(self, owner_id: str) -> OwnerView:
        """Return an owner.

        Raises:
            NotFound: there is none of this id.
        """
        return self._view(await self._require(owner_id))

    async def claim_trial(self, product: str, email: Email) -> None:
        """Note that `email` has its trial of a product now.

        Raises:
            StateConflict: it had one before.
        """
        peppers = self._desk.vault.peppers
        is_first = await self._store.claim_trial(
            product, peppers.email_indexes(email), peppers.current.pepper_id, self._desk.now
        )
        if not is_first:
            raise StateConflict("this email had a trial of this product before")

    async def erase(self, owner_id: str) -> OwnerView:
        """Forget a person: the email goes, licenses are revoked, what is written of them goes.

        The audit log stays: it holds no personal data. That an email had a trial stays too, as a
        keyed hash, so that it gets no second one.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it is erased already.
        """
        record = await self._require(owner_id)
        if record.erased_at is not None:
            raise StateConflict("this owner is erased already")
        for license_ in await self.licenses_of(owner_id):
            await self._empty(license_)
        await self._desk.transaction.recovery.void(owner_id, self._desk.now)
        await self._desk.transaction.sessions.end_all(owner_id)
        await self._desk.transaction.outbox.erase_subject(owner_id)
        tombstone = StoredOwner(
            owner_id=owner_id,
            email_index=secrets.token_bytes(SECRET_BYTES),
            domain_index=secrets.token_bytes(SECRET_BYTES),
            email_sealed=b"",
            pepper_id=record.owner.pepper_id,
        )
        await self._store.erase(tombstone, self._desk.now)
        await self._desk.record("owner.erase", owner_id, None, None)
        return await self.get(owner_id)

    async def licenses_of(self, owner_id: str) -> Sequence[LicenseRecord]:
        """Return all licenses of an owner, oldest first."""
        which = LicenseFilter(now=self._desk.now, owner_id=owner_id)
        return await self._desk.transaction.licenses.page(which, None, _MOST)

    async def _empty(self, record: LicenseRecord) -> None:
        license_ = record.license
        transaction = self._desk.transaction
        if license_.standing is not Standing.REVOKED:
            license_ = license_.after(Change.REVOKE)
            before, after = ({"standing": one.standing} for one in (record.license, license_))
            await self._desk.record("license.revoke", license_.license_id, before, after)
        await transaction.licenses.save(license_, LicenseDetails(), record.owner_id)
        await transaction.deployments.remove_all(license_.license_id)
        await transaction.outbox.erase_subject(license_.license_id)

    async def _require(self, owner_id: str) -> OwnerRecord:
        record = await self._store.get(owner_id)
        if record is None:
            raise NotFound("there is no owner of this id")
        return record

    def _view(self, record: OwnerRecord) -> OwnerView:
        owner = record.owner
        email = self._desk.vault.email_of(owner.email_sealed, owner.owner_id)
        return OwnerView(owner.owner_id, email, record.created_at, record.erased_at)
