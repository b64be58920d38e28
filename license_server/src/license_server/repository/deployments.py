"""Deployments in their table."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, tuple_, update

from license_server.repository.rows import Row, Values, optional, to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import deployments
from license_server.stores import DeploymentRecord, Position


class SqlDeployments(Store):
    """The `DeploymentStore`; its methods are described there."""

    async def of_license(
        self, license_id: str, *, archived: bool, after: Position | None, limit: int
    ) -> Sequence[DeploymentRecord]:
        """See `DeploymentStore`."""
        order = (deployments.c.first_seen_at, deployments.c.instance_id)
        query = select(deployments).where(deployments.c.license_id == license_id)
        if not archived:
            query = query.where(deployments.c.archived_at.is_(None))
        if after is not None:
            query = query.where(tuple_(*order) > (to_unix(after.at), after.row_id))
        return [_to_record(row) for row in await self._rows(query.order_by(*order).limit(limit))]

    async def get(self, license_id: str, instance_id: str) -> DeploymentRecord | None:
        """See `DeploymentStore`."""
        row = await self._row(select(deployments).where(_is(license_id, instance_id)))
        return None if row is None else _to_record(row)

    async def set_blocked(
        self, license_id: str, instance_id: str, blocked_at: datetime | None
    ) -> None:
        """See `DeploymentStore`."""
        values: Values = {"blocked_at": optional(to_unix, blocked_at), "archived_at": None}
        await self._connection.execute(
            update(deployments).where(_is(license_id, instance_id)).values(values)
        )

    async def remove(self, license_id: str, instance_id: str) -> None:
        """See `DeploymentStore`."""
        await self._connection.execute(delete(deployments).where(_is(license_id, instance_id)))

    async def remove_all(self, license_id: str) -> None:
        """See `DeploymentStore`."""
        await self._connection.execute(
            delete(deployments).where(deployments.c.license_id == license_id)
        )

    async def archive_unseen(self, since: datetime, now: datetime) -> int:
        """See `DeploymentStore`."""
        archived = await self._connection.execute(
            update(deployments)
            .where(
                deployments.c.last_seen_at < to_unix(since),
                deployments.c.archived_at.is_(None),
                deployments.c.blocked_at.is_(None),
            )
            .values(archived_at=to_unix(now))
        )
        return archived.rowcount


def _is(license_id: str, instance_id: str) -> ColumnElement[bool]:
    return and_(deployments.c.license_id == license_id, deployments.c.instance_id == instance_id)


def _to_record(row: Row) -> DeploymentRecord:
    return DeploymentRecord(
        instance_id=row["instance_id"],
        first_seen_at=to_instant(row["first_seen_at"]),
        last_seen_at=to_instant(row["last_seen_at"]),
        client_name=row["client_name"],
        client_version=row["client_version"],
        app_version=row["app_version"],
        name=row["name"],
        blocked_at=optional(to_instant, row["blocked_at"]),
        archived_at=optional(to_instant, row["archived_at"]),
    )
