"""Sending events: signed, to the address that was checked, and no further.

The connection goes to the very address that was looked at, so that a name cannot change its mind
in between; TLS still verifies the name.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import httpx
from standardwebhooks.webhooks import Webhook

from license_server.admin.webhooks import Webhooks, secret_of
from license_server.desk import Desk, Vault
from license_server.errors import DeliveryFailed
from license_server.stores import OutboxEntry, Repository, WebhookEndpoint
from license_server.strict_json import compact_json
from license_server.webhooks.addresses import Address, Resolve, is_public, resolve

_TIMEOUT_SECONDS: Final = 15.0
_HTTPS: Final = 443
_ACTOR: Final = "worker"


class EventSender:
    """Sends events to endpoints.

    Args:
        repository: where endpoints are.
        vault: opens their secrets.
        now: the wall clock.
        tls: verifies endpoints; None = as the machine trusts.
        resolver: finds addresses.
        may_reach: judges them.
    """

    def __init__(
        self,
        repository: Repository,
        vault: Vault,
        now: Callable[[], datetime],
        *,
        tls: ssl.SSLContext | None = None,
        resolver: Resolve = resolve,
        may_reach: Callable[[Address], bool] = is_public,
    ) -> None:
        self._repository = repository
        self._vault = vault
        self._now = now
        self._tls = tls or ssl.create_default_context()
        self._resolve = resolver
        self._may_reach = may_reach

    async def __call__(self, entry: OutboxEntry, payload: Mapping[str, Any]) -> None:
        """Send the event of an outbox entry.

        Raises:
            DeliveryFailed: it was not taken, or its endpoint is gone or switched off.
        """
        endpoint = await self._endpoint(entry)
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                status = await self._post(endpoint, entry, compact_json(payload))
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            reason = f"the endpoint cannot be reached: {type(error).__name__}"
            raise DeliveryFailed(reason) from error
        if status == HTTPStatus.GONE:
            await self._switch_off(endpoint)
            raise DeliveryFailed("the endpoint answered 410 and is switched off", is_final=True)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise DeliveryFailed(f"the endpoint answered {status}")

    async def _endpoint(self, entry: OutboxEntry) -> WebhookEndpoint:
        async with self._repository.transaction() as transaction:
            endpoint = await transaction.webhooks.get(entry.subject or "")
        if endpoint is None or endpoint.disabled_at is not None:
            raise DeliveryFailed("the endpoint is gone or switched off", is_final=True)
        return endpoint

    async def _post(self, endpoint: WebhookEndpoint, entry: OutboxEntry, body: str) -> int:
        url = httpx.URL(endpoint.url)
        address = await self._reachable(url.host, url.port or _HTTPS)
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            **self._signed(endpoint, entry, body),
        }
        async with (
            httpx.AsyncClient(
                verify=self._tls, timeout=_TIMEOUT_SECONDS, trust_env=False
            ) as client,
            client.stream(
                "POST",
                url.copy_with(host=str(address)),
                content=body,
                headers=headers,
                extensions={"sni_hostname": url.host},
            ) as response,
        ):
            return response.status_code

    async def _reachable(self, host: str, port: int) -> Address:
        addresses = await self._resolve(host, port)
        if not addresses or not all(map(self._may_reach, addresses)):
            raise DeliveryFailed("the endpoint has a private address: only public ones are allowed")
        return addresses[0]

    def _signed(self, endpoint: WebhookEndpoint, entry: OutboxEntry, body: str) -> dict[str, str]:
        now = self._now()
        previous = endpoint.previous_until is not None and now < endpoint.previous_until
        sealed = [endpoint.secret_sealed]
        if previous and endpoint.previous_secret_sealed is not None:
            sealed.append(endpoint.previous_secret_sealed)
        secrets = [secret_of(self._vault, one, endpoint.endpoint_id) for one in sealed]
        return {
            "webhook-id": entry.entry_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(
                Webhook(secret).sign(entry.entry_id, now, body) for secret in secrets
            ),
        }

    async def _switch_off(self, endpoint: WebhookEndpoint) -> None:
        async with self._repository.transaction() as transaction:
            desk = Desk(transaction, self._vault, _ACTOR, self._now())
            await Webhooks(desk).switch_off(endpoint.endpoint_id, "it answered 410")
