"""License keys in their table, as keyed hashes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, insert, or_, select, update

from license_server.repository.rows import Values, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import license_keys
from license_server.stores import StoredKey


class SqlKeys(Store):
    """The `KeyStore`; its methods are described there."""

    async def license_of(self, macs: Sequence[bytes], now: datetime) -> str | None:
        """See `KeyStore`."""
        row = await self._row(
            select(license_keys.c.license_id).where(
                license_keys.c.mac.in_(macs), _works_after(to_unix(now))
            )
        )
        return None if row is None else row["license_id"]

    async def add(self, key: StoredKey, now: datetime) -> None:
        """See `KeyStore`."""
        await self._connection.execute(insert(license_keys).values(key_values(key, now)))

    async def supersede(self, license_id: str, until: datetime) -> None:
        """See `KeyStore`."""
        end = to_unix(until)
        await self._connection.execute(
            update(license_keys)
            .where(license_keys.c.license_id == license_id, _works_after(end))
            .values(superseded_until=end)
        )


def key_values(key: StoredKey, created_at: datetime) -> Values:
    """Return the columns of a new key."""
    return {
        "mac": key.mac,
        "pepper_id": key.pepper_id,
        "hint": key.hint,
        "license_id": key.license_id,
        "created_at": to_unix(created_at),
    }


def _works_after(instant: int) -> ColumnElement[bool]:
    end = license_keys.c.superseded_until
    return or_(end.is_(None), end > instant)
