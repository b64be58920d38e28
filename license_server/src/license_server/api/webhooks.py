"""Webhook endpoints over HTTP."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from pydantic import Field

from license_server.admin.events import EVENTS
from license_server.admin.webhooks import MAX_URL, MadeEndpoint, Webhooks
from license_server.api.endpoints import (
    OWNERS,
    READERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Members,
    Nothing,
    Reply,
)
from license_server.api.members import Page, PageQuery, Shown, cursor_of, told
from license_server.stores import OutboxEntry, OutboxState, WebhookEndpoint

_Url = Annotated[str, Field(max_length=MAX_URL, json_schema_extra={"format": "webhook-url"})]
_Event = Annotated[str, told(enum=[*EVENTS])]


class NewEndpoint(Members):
    """An endpoint to be added; no events = all of them."""

    url: _Url
    events: tuple[_Event, ...] = ()


class EndpointChange(Members):
    """What to change of an endpoint; what is left out stays."""

    url: _Url | None = None
    events: tuple[_Event, ...] | None = None
    enabled: bool | None = None


class EndpointDocument(Document):
    """An endpoint, without its secret."""

    id: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    created_at: Shown
    disabled_at: Shown | None
    disabled_reason: str | None
    previous_secret_until: Shown | None
    version: int

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> "EndpointDocument":
        """Return what is answered of an endpoint."""
        return cls(**_members(endpoint))


class MadeEndpointDocument(EndpointDocument):
    """An endpoint and, this once, its new secret."""

    secret: str = Field(repr=False)

    @classmethod
    def made(cls, made: MadeEndpoint) -> "MadeEndpointDocument":
        """Return what is answered of an endpoint with a new secret."""
        return cls(secret=made.secret, **_members(made.endpoint))


class EndpointList(Document):
    """All endpoints, oldest first."""

    items: tuple[EndpointDocument, ...]


class DeliveryDocument(Document):
    """An event on its way, or delivered."""

    id: str
    event: str
    state: OutboxState
    attempts: int
    created_at: Shown
    due_at: Shown
    finished_at: Shown | None
    error: str | None

    @classmethod
    def of(cls, entry: OutboxEntry) -> "DeliveryDocument":
        """Return what is answered of a delivery."""
        return cls(
            id=entry.entry_id,
            event=entry.topic,
            state=entry.state,
            attempts=entry.attempts,
            created_at=entry.created_at,
            due_at=entry.due_at,
            finished_at=entry.finished_at,
            error=entry.error,
        )


class DeliveryPage(Page):
    """Deliveries, oldest first."""

    items: tuple[DeliveryDocument, ...]


def _members(endpoint: WebhookEndpoint) -> dict[str, object]:
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": endpoint.events,
        "enabled": endpoint.disabled_at is None,
        "created_at": endpoint.created_at,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
        "previous_secret_until": endpoint.previous_until,
        "version": endpoint.version,
    }


async def _create(call: Call[Nothing, NewEndpoint]) -> Reply:
    made = await Webhooks(call.desk).create(call.body.url, call.body.events)
    return Reply(MadeEndpointDocument.made(made), made.endpoint.version)


async def _list(call: Call[Nothing, Nothing]) -> Reply:
    endpoints = await Webhooks(call.desk).all()
    return Reply(EndpointList(items=tuple(map(EndpointDocument.of, endpoints))))


async def _get(call: Call[Nothing, Nothing]) -> Reply:
    return _reply(await _named(call))


async def _change(call: Call[Nothing, EndpointChange]) -> Reply:
    endpoint, body = await _named(call), call.body
    call.require_version(endpoint.version)
    changed = await Webhooks(call.desk).change(
        endpoint, url=body.url, events=body.events, is_enabled=body.enabled
    )
    return _reply(changed)


async def _remove(call: Call[Nothing, Nothing]) -> Reply:
    await Webhooks(call.desk).remove(await _named(call))
    return Reply(None)


async def _rotate_secret(call: Call[Nothing, Nothing]) -> Reply:
    made = await Webhooks(call.desk).rotate_secret(await _named(call))
    return Reply(MadeEndpointDocument.made(made), made.endpoint.version)


async def _test(call: Call[Nothing, Nothing]) -> Reply:
    endpoint = await _named(call)
    await Webhooks(call.desk).test(endpoint)
    return _reply(endpoint)


async def _deliveries(call: Call[PageQuery, Nothing]) -> Reply:
    query = call.query
    endpoint = await _named(call)
    entries = await Webhooks(call.desk).deliveries(endpoint, query.after(), query.limit)
    last = entries[-1] if len(entries) == query.limit else None
    cursor = None if last is None else cursor_of(last.created_at, last.entry_id)
    items = tuple(map(DeliveryDocument.of, entries))
    return Reply(DeliveryPage(items=items, next_cursor=cursor))


async def _replay(call: Call[Nothing, Nothing]) -> Reply:
    endpoint = await _named(call)
    entry = await Webhooks(call.desk).replay(endpoint, call.path["delivery_id"])
    return Reply(DeliveryDocument.of(entry))


async def _named(call: Call[Any, Any]) -> WebhookEndpoint:
    return await Webhooks(call.desk).get(call.path["endpoint_id"])


def _reply(endpoint: WebhookEndpoint) -> Reply:
    return Reply(EndpointDocument.of(endpoint), endpoint.version)


_ALL: Final = "/v1/admin/webhooks"
_ONE: Final = f"{_ALL}/{{endpoint_id}}"

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", _ALL, "webhook.list", "List all webhook endpoints", READERS, Nothing, Nothing,
        EndpointList, _list,
    ),
    Endpoint(
        "POST", _ALL, "webhook.create", "Add a webhook endpoint and answer its secret, this once",
        OWNERS, Nothing, NewEndpoint, MadeEndpointDocument, _create, HTTPStatus.CREATED,
    ),
    Endpoint(
        "GET", _ONE, "webhook.get", "Show a webhook endpoint", READERS, Nothing, Nothing,
        EndpointDocument, _get,
    ),
    Endpoint(
        "PATCH", _ONE, "webhook.change", "Change a webhook endpoint, or switch it on or off",
        OWNERS, Nothing, EndpointChange, EndpointDocument, _change,
    ),
    Endpoint(
        "DELETE", _ONE, "webhook.remove", "Forget a webhook endpoint", OWNERS, Nothing, Nothing,
        None, _remove, HTTPStatus.NO_CONTENT,
    ),
    Endpoint(
        "POST", f"{_ONE}/rotate-secret", "webhook.rotate_secret",
        "Replace the secret; the old one signs too for a day", OWNERS, Nothing, Nothing,
        MadeEndpointDocument, _rotate_secret,
    ),
    Endpoint(
        "POST", f"{_ONE}/test", "webhook.test", "Send an event that means nothing", OWNERS,
        Nothing, Nothing, EndpointDocument, _test,
    ),
    Endpoint(
        "GET", f"{_ONE}/deliveries", "webhook.deliveries", "List what was sent to an endpoint",
        READERS, PageQuery, Nothing, DeliveryPage, _deliveries,
    ),
    Endpoint(
        "POST", f"{_ONE}/deliveries/{{delivery_id}}/replay", "webhook.replay",
        "Send an event again, under the same id", OWNERS, Nothing, Nothing, DeliveryDocument,
        _replay,
    ),
)  # fmt: skip
