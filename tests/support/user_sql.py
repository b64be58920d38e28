"""Statements of users on a provisioned schema, without HTTP in front."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

from db_api.callers import Caller
from db_api.control.audit import Actor
from db_api.control.database import open_control
from db_api.control.logins import LoginStore
from db_api.errors import DataApiError
from db_api.logins import Logins, LoginVault
from db_api.rest_errors import RestError
from db_api.sealing import RootKeys
from db_api.user_sql.desk import Desk, DeskLimits, SqlLimits, SqlRequest
from db_api.user_sql.pages import Column
from db_api.user_sql.parameters import Parameter
from db_api.user_sql.slots import Slots
from support.provisioned import ROOT_SECRET, Customer

ANON: Final = Caller("shop", "anon", "a404a4")
SERVICE: Final = Caller("shop", "service_role", "5e41ce")
ADMIN: Final = Caller("public", "admin", "")
ROOMY: Final = SqlLimits(timeout_ms=20_000, max_timeout_ms=20_000, max_rows=1000)
LIMITS: Final = DeskLimits(ROOMY, ROOMY, max_bytes=10 * 1024 * 1024, lock_timeout_ms=2000)
OK: Final = "ok"


@dataclass(frozen=True)
class Result:
    """What a caller sees of a statement that succeeded."""

    rows: list[dict[str, object]]
    columns: tuple[Column, ...]
    row_count: int
    is_truncated: bool


class Counter:
    """Has statements run for callers, as the route would.

    Args:
        desk: has them run.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(
        self,
        caller: Caller,
        sql: str,
        *parameters: Parameter,
        mode: str = "read",
        max_rows: int | None = None,
        timeout_ms: int | None = None,
    ) -> Result:
        """Run a statement."""
        request = SqlRequest(sql, parameters, mode == "write", max_rows, timeout_ms)
        actor = Actor(f"key:{caller.key_prefix}", "r-1", datetime.now(UTC))
        outcome = await self._desk.run(caller, actor, request)
        rows = [json.loads(row) for row in outcome.rows]
        return Result(rows, outcome.columns, outcome.row_count, outcome.is_truncated)

    async def value(self, caller: Caller, sql: str, *parameters: Parameter) -> object:
        """Return the one value of a query."""
        ((value,),) = [row.values() for row in (await self.run(caller, sql, *parameters)).rows]
        return value

    async def outcome(self, caller: Caller, sql: str, **options: Any) -> str:
        """Return the code of the refusal, or `ok`."""
        try:
            await self.run(caller, sql, **options)
        except (RestError, DataApiError) as error:
            return error.code
        return OK


@asynccontextmanager
async def opened_counter(
    customer: Customer, limits: DeskLimits = LIMITS, size: int = 4, wait_seconds: float = 5
) -> AsyncIterator[Counter]:
    """Open the way to a customer's database."""
    control = open_control(customer.url)
    vault = LoginVault(customer.url, RootKeys.parse(ROOT_SECRET))
    logins = Logins(LoginStore(control).of_schema, vault, monotonic)
    try:
        yield Counter(Desk(customer.url, logins, Slots(size, wait_seconds), control, limits))
    finally:
        await control.dispose()
