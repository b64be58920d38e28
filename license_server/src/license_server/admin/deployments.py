"""Deployments of a license: seen, blocked, removed."""

from collections.abc import Sequence
from dataclasses import replace

from license_server.desk import Desk
from license_server.errors import NotFound, StateConflict
from license_server.stores import DeploymentRecord, Position


class Deployments:
    """Lists and blocks the deployments of one license.

    Args:
        desk: where the work is done.
        license_id: of the license, which exists.
    """

    def __init__(self, desk: Desk, license_id: str) -> None:
        self._desk = desk
        self._license_id = license_id
        self._store = desk.transaction.deployments

    async def page(
        self, *, archived: bool, after: Position | None, limit: int
    ) -> Sequence[DeploymentRecord]:
        """Return up to `limit` deployments by their first sight, archived ones only if asked."""
        return await self._store.of_license(
            self._license_id, archived=archived, after=after, limit=limit
        )

    async def block(self, instance_id: str) -> DeploymentRecord:
        """Refuse a deployment from now on (a courtesy control: a new id evades it).

        Raises:
            NotFound: the license has no such deployment.
            StateConflict: it is blocked already.
        """
        record = await self._require(instance_id)
        if record.blocked_at is not None:
            raise StateConflict("this deployment is blocked already")
        await self._store.set_blocked(self._license_id, instance_id, self._desk.now)
        await self._record("deployment.block", instance_id)
        return replace(record, blocked_at=self._desk.now)

    async def unblock(self, instance_id: str) -> DeploymentRecord:
        """Let a blocked deployment work again.

        Raises:
            NotFound: the license has no such deployment.
            StateConflict: it is not blocked.
        """
        record = await self._require(instance_id)
        if record.blocked_at is None:
            raise StateConflict("this deployment is not blocked")
        await self._store.set_blocked(self._license_id, instance_id, None)
        await self._record("deployment.unblock", instance_id)
        return replace(record, blocked_at=None)

    async def remove(self, instance_id: str) -> None:
        """Forget a deployment, which frees its seat.

        Raises:
            NotFound: the license has no such deployment.
        """
        await self._require(instance_id)
        await self._store.remove(self._license_id, instance_id)
        await self._record("deployment.remove", instance_id)

    async def _require(self, instance_id: str) -> DeploymentRecord:
        record = await self._store.get(self._license_id, instance_id)
        if record is None:
            raise NotFound("the license has no deployment of this id")
        return record

    async def _record(self, action: str, instance_id: str) -> None:
        """Record a change under the license; the instance is named by its keyed hash."""
        instance = self._desk.vault.peppers.current.audit_subject(instance_id)
        await self._desk.record(action, self._license_id, None, {"instance": instance})
