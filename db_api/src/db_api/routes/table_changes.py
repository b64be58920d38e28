"""`/api/schemas/{schema}/tables`: tables are made, changed and dropped."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Self

import asyncpg
from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api import table_changes
from db_api.callers import Caller
from db_api.connections import Connection
from db_api.control.audit import Actor
from db_api.errors import AccessDeniedError, InvalidRequestError
from db_api.execution import Database, Terms
from db_api.identifiers import InvalidNameError, is_creatable, quote
from db_api.rest_errors import RestError
from db_api.routes.endpoints import Access, Endpoint, Identity, actor_of
from db_api.routes.rendering import Body, answer, read_body
from db_api.schemas import require_open
from db_api.table_changes import NewColumn, Reference

_TABLES: Final = "/api/schemas/{schema}/tables"
_TABLE: Final = _TABLES + "/{table}"
_MAX_COLUMNS: Final = 200
_NOT_OWNER: Final = "42501"


def _require_new_name(text: str) -> str:
    if not is_creatable(text):
        raise ValueError("1 to 63 of A-Z a-z 0-9 _, no digit first")
    return text


def _require_name(text: str) -> str:
    try:
        quote(text)
    except InvalidNameError as error:
        raise ValueError(str(error)) from None
    return text


def _require_type(text: str) -> str:
    if not table_changes.is_type(text):
        raise ValueError(f"one of {', '.join(table_changes.TYPES)}, perhaps with []")
    return text


_NewName = Annotated[str, AfterValidator(_require_new_name)]
_Name = Annotated[str, AfterValidator(_require_name)]


class ReferenceBody(Body):
    """What a column refers to."""

    table: _Name
    column: _Name


class ColumnBody(Body):
    """A column that is made."""

    name: _NewName
    type: Annotated[str, AfterValidator(_require_type)]
    nullable: StrictBool = True
    default: str | StrictInt | StrictFloat | StrictBool | None = None
    primary_key: StrictBool = False
    unique: StrictBool = False
    identity: StrictBool = False
    references: ReferenceBody | None = None

    @model_validator(mode="after")
    def _require_sense(self) -> Self:
        if self.identity and not table_changes.is_integer(self.type):
            raise ValueError("identity is for smallint, integer and bigint")
        if self.identity and self.default is not None:
            raise ValueError("a column has either identity or a default")
        return self

    def new(self) -> NewColumn:
        """Return it as it is made."""
        target = self.references
        return NewColumn(
            name=self.name,
            type=self.type,
            is_nullable=self.nullable and not self.primary_key,
            default=self.default,
            is_primary_key=self.primary_key,
            is_unique=self.unique,
            is_identity=self.identity,
            references=Reference(target.table, target.column) if target else None,
        )


class CreateBody(Body):
    """Body of the creation of a table."""

    name: _NewName
    columns: Annotated[tuple[ColumnBody, ...], Field(min_length=1, max_length=_MAX_COLUMNS)]
    comment: str = ""


class ChangeBody(Body):
    """Body of the change of a table; done in the order of its members here."""

    add_columns: Annotated[tuple[ColumnBody, ...], Field(max_length=_MAX_COLUMNS)] = ()
    drop_columns: tuple[_Name, ...] = ()
    rename_columns: dict[_Name, _NewName] = Field(default_factory=dict)
    comment: str | None = None
    rename_to: _NewName | None = None

    @model_validator(mode="after")
    def _require_change(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"one of {', '.join(sorted(type(self).model_fields))} is expected")
        if any(column.primary_key for column in self.add_columns):
            raise ValueError("a primary key is given when a table is made")
        return self


class TableChangeRoutes:
    """Changes tables, as the login of the schema's `service_role` keys where it has one.

    Args:
        database: runs the statements.
        record: writes into the audit trail, before a change begins.
        reload_catalog: makes the data side see what was changed.
        terms: what a change is allowed, in a schema.
        utc_now: the wall clock.
    """

    def __init__(
        self,
        database: Database,
        record: Callable[[Actor, str, str], Awaitable[None]],
        reload_catalog: Callable[[], Awaitable[object]],
        terms: Callable[[str], Terms],
        utc_now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._record = record
        self._reload_catalog = reload_catalog
        self._terms = terms
        self._utc_now = utc_now

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (
            Endpoint("POST", _TABLES, Access.KEY_OR_ADMIN, self._create),
            Endpoint("PATCH", _TABLE, Access.KEY_OR_ADMIN, self._change),
            Endpoint("DELETE", _TABLE, Access.KEY_OR_ADMIN, self._drop),
        )

    async def _create(self, request: Request, identity: Identity) -> JSONResponse:
        schema = _require_changeable(request, identity)
        body = await read_body(request, CreateBody)
        columns = [column.new() for column in body.columns]
        statements = [*table_changes.create_table(schema, body.name, columns)]
        if body.comment:
            statements += table_changes.comment_on(schema, body.name, body.comment)
        await self._run(request, identity, "table.created", body.name, statements)
        shown = {"schema": schema, "name": body.name}
        return answer(shown, "Table created", HTTPStatus.CREATED)

    async def _change(self, request: Request, identity: Identity) -> JSONResponse:
        schema = _require_changeable(request, identity)
        table = _existing_name(request)
        body = await read_body(request, ChangeBody)
        await self._run(
            request, identity, "table.changed", table, list(_changes(schema, table, body))
        )
        return answer({"schema": schema, "name": body.rename_to or table}, "Table changed")

    async def _drop(self, request: Request, identity: Identity) -> JSONResponse:
        schema = _require_changeable(request, identity)
        table = _existing_name(request)
        if request.query_params.get("confirm") != table:
            raise InvalidRequestError(
                "Dropping a table drops its rows and needs to be confirmed.",
                hint="Repeat the table's name as ?confirm=",
            )
        statements = list(table_changes.drop_table(schema, table))
        await self._run(request, identity, "table.dropped", table, statements)
        return answer({"schema": schema, "name": table}, "Table dropped")

    async def _run(
        self,
        request: Request,
        identity: Identity,
        action: str,
        table: str,
        statements: Iterable[str],
    ) -> None:
        schema = request.path_params["schema"]
        await self._record(self._actor(request, identity), action, f"table:{schema}.{table}")
        prefix = identity.key_prefix if isinstance(identity, Caller) else ""

        async def work(connection: Connection) -> None:
            for statement in statements:
                await connection.execute(statement)
            await connection.execute("SELECT pg_catalog.pg_notify('db_api', 'reload schema')")

        try:
            caller = Caller(schema, "service_role", prefix)
            await self._database.run(self._terms(schema), work, caller)
        except asyncpg.PostgresError as error:
            raise _refusal(error) from error
        await self._reload_catalog()

    def _actor(self, request: Request, identity: Identity) -> Actor:
        if isinstance(identity, Caller):
            name = f"key:{identity.key_prefix}"
            return Actor(name, request.state.request_id, self._utc_now())
        return actor_of(request, identity, self._utc_now())


def _changes(schema: str, table: str, body: ChangeBody) -> Iterator[str]:
    for column in body.add_columns:
        yield from table_changes.add_column(schema, table, column.new())
    for name in body.drop_columns:
        yield from table_changes.drop_column(schema, table, name)
    for old, new in body.rename_columns.items():
        yield from table_changes.rename_column(schema, table, old, new)
    if body.comment is not None:
        yield from table_changes.comment_on(schema, table, body.comment)
    if body.rename_to is not None:
        yield from table_changes.rename_table(schema, table, body.rename_to)


def _require_changeable(request: Request, identity: Identity) -> str:
    """Return the schema of a path, if who asks may change its tables."""
    schema = str(request.path_params["schema"])
    require_open(schema)
    if isinstance(identity, Caller) and (identity.schema != schema or identity.is_read_only):
        raise AccessDeniedError(
            "Tables are changed by the administrator and by service_role keys of their schema."
        )
    return schema


def _existing_name(request: Request) -> str:
    name = str(request.path_params["table"])
    try:
        quote(name)
    except InvalidNameError as error:
        raise InvalidRequestError(f"The table's name is none: {error}.") from None
    return name


def _refusal(error: asyncpg.PostgresError) -> RestError:
    hint = error.hint
    if error.sqlstate == _NOT_OWNER:
        hint = "What another role owns is changed by that role, or by a DBA."
    return RestError(
        error.sqlstate or "XX000",
        error.message or "PostgreSQL refused the statement",
        details=error.detail,
        hint=hint,
    )
