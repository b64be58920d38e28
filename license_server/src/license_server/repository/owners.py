"""Owners in their table, and who had a trial in its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from license_server.repository.rows import Row, Values, optional, to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import owners, trial_claims
from license_server.stores import OwnerRecord, StoredOwner


class SqlOwners(Store):
    """The `OwnerStore`; its methods are described there."""

    async def find(self, email_indexes: Sequence[bytes]) -> OwnerRecord | None:
        """See `OwnerStore`."""
        row = await self._row(select(owners).where(owners.c.email_index.in_(email_indexes)))
        return None if row is None else _to_record(row)

    async def get(self, owner_id: str) -> OwnerRecord | None:
        """See `OwnerStore`."""
        row = await self._row(select(owners).where(owners.c.id == owner_id).with_for_update())
        return None if row is None else _to_record(row)

    async def add(self, owner: StoredOwner, now: datetime) -> None:
        """See `OwnerStore`."""
        await self._connection.execute(insert(owners).values(owner_values(owner, now)))

    async def ids_of(self, email_indexes: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return the ids of the owners that there are, by their index."""
        found = select(owners.c.email_index, owners.c.id).where(
            owners.c.email_index.in_(email_indexes)
        )
        return {row["email_index"]: row["id"] for row in await self._rows(found)}

    async def erase(self, tombstone: StoredOwner, now: datetime) -> None:
        """See `OwnerStore`."""
        values = owner_values(tombstone, now) | {"erased_at": to_unix(now)}
        del values["created_at"]
        await self._connection.execute(
            update(owners).where(owners.c.id == tombstone.owner_id).values(values)
        )

    async def claim_trial(
        self, product: str, email_indexes: Sequence[bytes], pepper_id: str, now: datetime
    ) -> bool:
        """See `OwnerStore`."""
        earlier = select(trial_claims.c.product).where(
            trial_claims.c.product == product, trial_claims.c.email_index.in_(email_indexes)
        )
        if await self._rows(earlier):
            return False
        values: Values = {
            "product": product,
            "email_index": email_indexes[0],
            "pepper_id": pepper_id,
            "created_at": to_unix(now),
        }
        return await self._add_unless_there(trial_claims, values)


def owner_values(owner: StoredOwner, now: datetime) -> Values:
    """Return the columns of a new owner."""
    return {
        "id": owner.owner_id,
        "email_index": owner.email_index,
        "domain_index": owner.domain_index,
        "email_sealed": owner.email_sealed,
        "pepper_id": owner.pepper_id,
        "created_at": to_unix(now),
    }


def _to_record(row: Row) -> OwnerRecord:
    owner = StoredOwner(
        owner_id=row["id"],
        email_index=row["email_index"],
        domain_index=row["domain_index"],
        email_sealed=row["email_sealed"],
        pepper_id=row["pepper_id"],
    )
    erased_at = optional(to_instant, row["erased_at"])
    return OwnerRecord(owner, to_instant(row["created_at"]), erased_at)
