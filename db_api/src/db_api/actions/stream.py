"""GET of a table as lines of text, of any number: copied out as fast as the client takes them."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, Protocol

from db_api.actions.action import Work, fetch, find_table
from db_api.actions.pages import walk
from db_api.answers import Answer, Result, answer_read, begin_read
from db_api.catalog import SchemaCache
from db_api.connections import Connection
from db_api.grammar.request import Request
from db_api.page_tokens import PageTokens
from db_api.plan import NOTHING, Bounds, Node, ReadPlan, Values, plan_read, plan_stream
from db_api.rest_errors import RestError
from db_api.sql import csv_copy, ndjson_copy, read_statement

_CLIENT_PATIENCE_SECONDS: Final = 60
"""How long a client may take nothing, before its connection to the database is for others."""

_FORMATS: Final[dict[str, dict[str, Any]]] = {
    "csv": {"format": "csv", "header": True},
    # Neither character is in JSON as it stands, so that nothing is ever quoted.
    "ndjson": {"format": "csv", "quote": "\1", "delimiter": "\2"},
}


class Outlet(Protocol):
    """Where the answer goes."""

    @property
    def kept(self) -> bytes:
        """What was written; nothing once the answer has begun."""

    def open(self, head: Answer) -> None:
        """Say how the answer begins, if it becomes too long to be kept."""

    async def write(self, data: bytes) -> None:
        """Take a part of the body.

        Raises:
            RestError: the caller may have no more of it.
        """


@dataclass(frozen=True, slots=True)
class Stream:
    """GET of a table as CSV or NDJSON.

    Attributes:
        tokens: of pages.
        database_patience_seconds: how long to wait for each part of the answer.
    """

    request: Request
    bounds: Bounds
    tokens: PageTokens
    outlet: Outlet
    database_patience_seconds: float

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        request, values = self.request, Values()
        table = find_table(snapshot, schema, request.name)
        query = walk(request.query, table, self.tokens).query
        node = plan_stream(query, snapshot, table, values, page=request.page, bounds=self.bounds)
        count = request.preferences.count
        counting = count and plan_read(
            query,
            snapshot,
            table,
            values,
            page=request.page,
            bounds=self.bounds,
            count="exact" if count == "planned" else count,
            view=NOTHING,
        )
        return _PlannedStream(self, node, counting or None, values)


@dataclass(slots=True)
class _PlannedStream:
    stream: Stream
    node: Node
    counting: ReadPlan | None
    values: Values
    is_read_only: bool = True

    async def run(self, connection: Connection) -> Answer:
        request, outlet = self.stream.request, self.stream.outlet
        form = request.representation.form
        total = await self._count(connection)
        copy = csv_copy(self.node) if form == "csv" else ndjson_copy(self.node)
        quoted = await connection.fetchrow(copy.quoting, *map(self.values.__getitem__, copy.slots))
        outlet.open(begin_read(request, total))
        loop, patience = asyncio.get_running_loop(), self.stream.database_patience_seconds
        parting = b""  # between lines of CSV; NDJSON has one after each

        async with asyncio.timeout(patience) as deadline:

            async def write(data: bytes) -> None:
                nonlocal parting
                deadline.reschedule(loop.time() + _CLIENT_PATIENCE_SECONDS)
                if form == "csv":
                    data, parting = parting + data[:-1], b"\n"
                await outlet.write(data)
                deadline.reschedule(loop.time() + patience)

            query = copy.query(tuple(quoted or ()))
            try:
                done = await connection.copy_from_query(query, output=write, **_FORMATS[form])
            except RestError:
                connection.terminate()  # rows are still on their way
                raise
        rows = int(done.rpartition(" ")[2])
        return answer_read(request, Result(outlet.kept, rows, total, is_cut=False))

    async def _count(self, connection: Connection) -> int | None:
        if self.counting is None:
            return None
        return (await fetch(connection, read_statement(self.counting), self.values)).total
