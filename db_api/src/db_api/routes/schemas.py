"""`/api/schemas`: the administrator's list, creation and removal of schemas."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api.errors import InvalidRequestError
from db_api.provisioner import Provisioner
from db_api.role_facts import Wish
from db_api.routes.endpoints import Access, Endpoint, Identity, actor_of
from db_api.routes.rendering import Body, Json, answer, read_body
from db_api.schemas import SchemaInfo, SchemaStore


class CreateBody(Body):
    """Body of the creation of a schema."""

    name: str


class SchemaRoutes:
    """Answers about schemas.

    Args:
        schemas: in the database.
        provisioner: as the service's own login, where that may.
        reload_catalog: makes the data side see what was changed.
        utc_now: the wall clock.
    """

    def __init__(
        self,
        schemas: SchemaStore,
        provisioner: Provisioner,
        reload_catalog: Callable[[], Awaitable[object]],
        utc_now: Callable[[], datetime],
    ) -> None:
        self._schemas = schemas
        self._provisioner = provisioner
        self._reload_catalog = reload_catalog
        self._utc_now = utc_now

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (
            Endpoint("GET", "/api/schemas", Access.ADMIN, self._list),
            Endpoint("POST", "/api/schemas", Access.ADMIN, self._create),
            Endpoint("DELETE", "/api/schemas/{schema}", Access.ADMIN, self._drop),
        )

    async def _list(self, _request: Request, _identity: Identity) -> JSONResponse:
        schemas = await self._schemas.list()
        return answer([_shown(schema) for schema in schemas], f"{len(schemas)} schemas")

    async def _create(self, request: Request, identity: Identity) -> JSONResponse:
        body = await read_body(request, CreateBody)
        actor = actor_of(request, identity, self._utc_now())
        await self._schemas.create(body.name, actor)
        is_provisioned = await self._provisioner.is_able()
        if is_provisioned:
            await self._provisioner.provision(Wish(body.name), actor)
        await self._reload_catalog()
        shown: Json = {"name": body.name, "provisioned": is_provisioned}
        return answer(shown, "Schema created", HTTPStatus.CREATED)

    async def _drop(self, request: Request, identity: Identity) -> JSONResponse:
        name = request.path_params["schema"]
        if request.query_params.get("confirm") != name:
            raise InvalidRequestError(
                "Dropping a schema drops everything in it and needs to be confirmed.",
                hint=f"Repeat the schema's name: DELETE /api/schemas/{name}?confirm={name}",
            )
        actor = actor_of(request, identity, self._utc_now())
        revoked = await self._schemas.drop(name, actor)
        if await self._provisioner.is_able():
            await self._provisioner.deprovision(name, actor)
        await self._reload_catalog()
        return answer({"name": name, "revokedKeys": revoked}, "Schema dropped")


def _shown(schema: SchemaInfo) -> dict[str, str | None]:
    return {"name": schema.name, "owner": schema.owner, "comment": schema.comment}
