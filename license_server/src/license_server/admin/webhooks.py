"""Webhook endpoints: where events go, and what was sent there."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from license_server.admin.events import EVENTS, TEST_EVENT
from license_server.admin.outbox import send_again
from license_server.desk import Desk, Vault
from license_server.errors import FieldError, InvalidField, NotFound, StateConflict
from license_server.stores import OutboxEntry, OutboxKind, Position, WebhookEndpoint
from license_server.tokens import drawn_id

MAX_URL: Final = 2048
SECRET_BYTES: Final = 32  # the specification asks for 24 to 64
OVERLAP: Final = timedelta(hours=24)
"""So long a replaced secret signs too."""


@dataclass(frozen=True, slots=True)
class MadeEndpoint:
    """An endpoint and, this once, its new secret."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


class Webhooks:
    """Creates and changes endpoints.

    Args:
        desk: where the work is done.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.transaction.webhooks

    async def create(self, url: str, events: Sequence[str]) -> MadeEndpoint:
        """Add an endpoint.

        Raises:
            InvalidField: the address is not https, or an event is none.
        """
        _require_sound(url, events)
        endpoint_id = f"whe_{drawn_id()}"
        secret = _new_secret()
        endpoint = WebhookEndpoint(
            endpoint_id=endpoint_id,
            url=url,
            events=tuple(sorted(set(events))),
            secret_sealed=self._sealed(secret, endpoint_id),
            previous_secret_sealed=None,
            previous_until=None,
            created_at=self._desk.now,
            disabled_at=None,
            disabled_reason=None,
            version=1,
        )
        await self._store.add(endpoint)
        await self._desk.record("webhook.create", endpoint_id, None, {"events": list(events)})
        return MadeEndpoint(endpoint, secret)

    async def get(self, endpoint_id: str) -> WebhookEndpoint:
        """Return an endpoint.

        Raises:
            NotFound: there is none of this id.
        """
        endpoint = await self._store.get(endpoint_id)
        if endpoint is None:
            raise NotFound("there is no webhook endpoint of this id")
        return endpoint

    async def all(self) -> Sequence[WebhookEndpoint]:
        """Return all endpoints, oldest first."""
        return await self._store.all()

    async def change(
        self,
        endpoint: WebhookEndpoint,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        is_enabled: bool | None = None,
    ) -> WebhookEndpoint:
        """Change an endpoint; None = as it is.

        Raises:
            InvalidField: the address is not https, or an event is none.
        """
        changed = replace(
            endpoint,
            url=endpoint.url if url is None else url,
            events=endpoint.events if events is None else tuple(sorted(set(events))),
        )
        _require_sound(changed.url, changed.events)
        if is_enabled is not None:
            off_at = None if is_enabled else changed.disabled_at or self._desk.now
            reason = None if is_enabled else changed.disabled_reason or "by the vendor"
            changed = replace(changed, disabled_at=off_at, disabled_reason=reason)
        return await self._save(changed, "webhook.change")

    async def switch_off(self, endpoint_id: str, reason: str) -> None:
        """Switch an endpoint off, unless it is gone."""
        endpoint = await self._store.get(endpoint_id)
        if endpoint is not None and endpoint.disabled_at is None:
            off = replace(endpoint, disabled_at=self._desk.now, disabled_reason=reason)
            await self._save(off, "webhook.switch_off")

    async def rotate_secret(self, endpoint: WebhookEndpoint) -> MadeEndpoint:
        """Make a new secret; the old one signs too for `OVERLAP`."""
        secret = _new_secret()
        changed = replace(
            endpoint,
            secret_sealed=self._sealed(secret, endpoint.endpoint_id),
            previous_secret_sealed=endpoint.secret_sealed,
            previous_until=self._desk.now + OVERLAP,
        )
        return MadeEndpoint(await self._save(changed, "webhook.rotate_secret"), secret)

    async def remove(self, endpoint: WebhookEndpoint) -> None:
        """Forget an endpoint and what was to be sent there."""
        await self._desk.transaction.outbox.erase_subject(endpoint.endpoint_id)
        await self._store.remove(endpoint.endpoint_id)
        await self._desk.record("webhook.remove", endpoint.endpoint_id, None, None)

    async def test(self, endpoint: WebhookEndpoint) -> None:
        """Send an event that means nothing.

        Raises:
            StateConflict: the endpoint is switched off.
        """
        if endpoint.disabled_at is not None:
            raise StateConflict("this endpoint is switched off: switch it on first")
        stamp = self._desk.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = {"type": TEST_EVENT, "timestamp": stamp, "data": {}}
        kind = OutboxKind.WEBHOOK
        await self._desk.post(kind, TEST_EVENT, payload, subject=endpoint.endpoint_id)

    async def deliveries(
        self, endpoint: WebhookEndpoint, after: Position | None, limit: int
    ) -> Sequence[OutboxEntry]:
        """Return up to `limit` deliveries, oldest first."""
        outbox = self._desk.transaction.outbox
        return await outbox.page(OutboxKind.WEBHOOK, endpoint.endpoint_id, None, after, limit)

    async def replay(self, endpoint: WebhookEndpoint, entry_id: str) -> OutboxEntry:
        """Send an event again, under the same id.

        Raises:
            NotFound: no such event was sent there.
            StateConflict: it is being sent, or its content was erased.
        """
        return await send_again(self._desk, OutboxKind.WEBHOOK, entry_id, endpoint.endpoint_id)

    async def _save(self, changed: WebhookEndpoint, action: str) -> WebhookEndpoint:
        await self._store.save(changed)
        state = {"events": list(changed.events), "is_enabled": changed.disabled_at is None}
        await self._desk.record(action, changed.endpoint_id, None, state)
        return await self.get(changed.endpoint_id)

    def _sealed(self, secret: str, endpoint_id: str) -> bytes:
        return self._desk.vault.sealer.seal_bytes(secret.encode("ascii"), _context(endpoint_id))


def secret_of(vault: Vault, sealed: bytes, endpoint_id: str) -> str:
    """Return a secret of an endpoint: `whsec_` and base64."""
    return vault.sealer.unseal_bytes(sealed, _context(endpoint_id)).decode("ascii")


def _context(endpoint_id: str) -> str:
    return f"webhook_endpoints.secret.{endpoint_id}"


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def _require_sound(url: str, events: Sequence[str]) -> None:
    broken = []
    if not _is_sound_url(url):
        expected = "https://… of a public host, without user and password, is expected"
        broken.append(FieldError("url", expected))
    if not set(events) <= set(EVENTS):
        broken.append(FieldError("events", f"some of {', '.join(EVENTS)} are expected"))
    if broken:
        raise InvalidField(*broken)


def _is_sound_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    is_https = parts.scheme == "https" and host and "@" not in parts.netloc and not parts.fragment
    if (
        not is_https
        or port == 0
        or len(url) > MAX_URL
        or not url.isascii()
        or not url.isprintable()
    ):
        return False
    try:
        return ip_address(host or "").is_global
    except ValueError:
        return " " not in url
