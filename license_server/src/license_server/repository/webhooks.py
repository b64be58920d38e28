"""Webhook endpoints in their table."""

import json
from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from license_server.repository.rows import Row, Values, optional, to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import webhook_endpoints
from license_server.stores import WebhookEndpoint


class SqlWebhooks(Store):
    """The `WebhookStore`; its methods are described there."""

    async def add(self, endpoint: WebhookEndpoint) -> None:
        """See `WebhookStore`."""
        values = {"id": endpoint.endpoint_id} | _values(endpoint)
        await self._connection.execute(insert(webhook_endpoints).values(values))

    async def get(self, endpoint_id: str) -> WebhookEndpoint | None:
        """See `WebhookStore`."""
        is_meant = webhook_endpoints.c.id == endpoint_id
        row = await self._row(select(webhook_endpoints).where(is_meant).with_for_update())
        return None if row is None else _to_endpoint(row)

    async def all(self) -> Sequence[WebhookEndpoint]:
        """See `WebhookStore`."""
        rows = await self._rows(select(webhook_endpoints).order_by("created_at", "id"))
        return [_to_endpoint(row) for row in rows]

    async def save(self, endpoint: WebhookEndpoint) -> None:
        """See `WebhookStore`."""
        await self._connection.execute(
            update(webhook_endpoints)
            .where(webhook_endpoints.c.id == endpoint.endpoint_id)
            .values(_values(endpoint) | {"version": webhook_endpoints.c.version + 1})
        )

    async def remove(self, endpoint_id: str) -> None:
        """See `WebhookStore`."""
        await self._connection.execute(
            delete(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
        )


def _values(endpoint: WebhookEndpoint) -> Values:
    return {
        "url": endpoint.url,
        "events": json.dumps(endpoint.events),
        "secret_sealed": endpoint.secret_sealed,
        "previous_secret_sealed": endpoint.previous_secret_sealed,
        "previous_until": optional(to_unix, endpoint.previous_until),
        "created_at": to_unix(endpoint.created_at),
        "disabled_at": optional(to_unix, endpoint.disabled_at),
        "disabled_reason": endpoint.disabled_reason,
    }


def _to_endpoint(row: Row) -> WebhookEndpoint:
    return WebhookEndpoint(
        endpoint_id=row["id"],
        url=row["url"],
        events=tuple(json.loads(row["events"])),
        secret_sealed=row["secret_sealed"],
        previous_secret_sealed=row["previous_secret_sealed"],
        previous_until=optional(to_instant, row["previous_until"]),
        created_at=to_instant(row["created_at"]),
        disabled_at=optional(to_instant, row["disabled_at"]),
        disabled_reason=row["disabled_reason"],
        version=row["version"],
    )
