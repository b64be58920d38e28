"""Events: what webhooks tell of the vendor's work."""

from typing import TYPE_CHECKING, Final

from license_server.desk import Desk
from license_server.stores import OutboxKind

if TYPE_CHECKING:
    from license_server.admin.licenses import LicenseView


TEST_EVENT: Final = "webhook.test"
EVENTS: Final = (
    "license.issued",
    "license.renewed",
    "license.expiring",
    "license.converted",
    "license.suspended",
    "license.reinstated",
    "license.revoked",
    "license.transferred",
    "license.key_rotated",
    "license.edited",
)
"""What an endpoint can ask for."""


async def announce(desk: Desk, event: str, view: "LicenseView") -> None:
    """Put an event about a license into the outbox, once for each endpoint that asked for it."""
    for endpoint in await desk.transaction.webhooks.all():
        if endpoint.disabled_at is None and (not endpoint.events or event in endpoint.events):
            payload = {
                "type": event,
                "timestamp": desk.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "data": event_data(view),
            }
            await desk.post(OutboxKind.WEBHOOK, event, payload, subject=endpoint.endpoint_id)


def event_data(view: "LicenseView") -> dict[str, object]:
    """Return what an event tells of a license; neither its key nor its owner's email."""
    end = view.license.expires_at
    return {
        "id": view.license.license_id,
        "product": view.license.product,
        "owner_id": view.owner_id,
        "kind": view.license.kind.value,
        "status": view.status.value,
        "expires_at": None if end is None else end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "entitlements": list(view.license.entitlements),
        "metadata": dict(view.metadata),
    }
