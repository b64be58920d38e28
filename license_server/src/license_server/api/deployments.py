"""Deployments over HTTP."""

from http import HTTPStatus
from typing import Final

from license_server.admin.deployments import Deployments
from license_server.admin.licenses import Licenses
from license_server.api.endpoints import (
    READERS,
    SUPPORTERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Nothing,
    Reply,
)
from license_server.api.members import Page, PageQuery, Shown, cursor_of
from license_server.desk import Desk
from license_server.stores import DeploymentRecord


class DeploymentQuery(PageQuery):
    """Which deployments."""

    archived: bool = False


class DeploymentDocument(Document):
    """A deployment."""

    instance_id: str
    first_seen_at: Shown
    last_seen_at: Shown
    client_name: str
    client_version: str
    app_version: str | None
    name: str | None
    blocked_at: Shown | None
    archived_at: Shown | None

    @classmethod
    def of(cls, record: DeploymentRecord) -> "DeploymentDocument":
        """Return what is answered of a deployment."""
        return cls.model_validate(record, from_attributes=True)


class DeploymentPage(Page):
    """Deployments by their first sight."""

    items: tuple[DeploymentDocument, ...]


async def _list(call: Call[DeploymentQuery, Nothing]) -> Reply:
    query = call.query
    records = await (await _of(call.desk, call.path["license_id"])).page(
        archived=query.archived, after=query.after(), limit=query.limit
    )
    last = records[-1] if len(records) == query.limit else None
    cursor = None if last is None else cursor_of(last.first_seen_at, last.instance_id)
    items = tuple(map(DeploymentDocument.of, records))
    return Reply(DeploymentPage(items=items, next_cursor=cursor))


async def _block(call: Call[Nothing, Nothing]) -> Reply:
    deployments = await _of(call.desk, call.path["license_id"])
    return Reply(DeploymentDocument.of(await deployments.block(call.path["instance_id"])))


async def _unblock(call: Call[Nothing, Nothing]) -> Reply:
    deployments = await _of(call.desk, call.path["license_id"])
    return Reply(DeploymentDocument.of(await deployments.unblock(call.path["instance_id"])))


async def _remove(call: Call[Nothing, Nothing]) -> Reply:
    await (await _of(call.desk, call.path["license_id"])).remove(call.path["instance_id"])
    return Reply(None)


async def _of(desk: Desk, license_id: str) -> Deployments:
    await Licenses(desk).get(license_id)
    return Deployments(desk, license_id)


_ALL: Final = "/v1/admin/licenses/{license_id}/deployments"
_ONE: Final = f"{_ALL}/{{instance_id}}"

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", _ALL, "deployment.list", "List the deployments of a license", READERS,
        DeploymentQuery, Nothing, DeploymentPage, _list,
    ),
    Endpoint(
        "POST", f"{_ONE}/block", "deployment.block", "Refuse a deployment", SUPPORTERS, Nothing,
        Nothing, DeploymentDocument, _block,
    ),
    Endpoint(
        "POST", f"{_ONE}/unblock", "deployment.unblock", "Let a blocked deployment work again",
        SUPPORTERS, Nothing, Nothing, DeploymentDocument, _unblock,
    ),
    Endpoint(
        "DELETE", _ONE, "deployment.remove", "Forget a deployment, which frees its seat",
        SUPPORTERS, Nothing, Nothing, None, _remove, HTTPStatus.NO_CONTENT,
    ),
)  # fmt: skip
