"""What an action is, and what all of them do."""

from difflib import get_close_matches
from typing import Final, Protocol

from db_api.answers import Answer, Result
from db_api.catalog import SchemaCache, Table
from db_api.connections import Connection
from db_api.grammar.request import Request
from db_api.plan import Values, View
from db_api.rest_errors import RestError
from db_api.sql import Statement

_SIMILARITY: Final = 0.6
_FIXED_COLUMNS: Final = 4


class Work(Protocol):
    """A planned action."""

    @property
    def is_read_only(self) -> bool:
        """Tell whether it writes nothing."""

    async def run(self, connection: Connection) -> Answer:
        """Run it in the transaction of a connection.

        Raises:
            RestError: the result is not what the client asked for; nothing may be kept.
            asyncpg.PostgresError: PostgreSQL refused.
        """


class Action(Protocol):
    """What a request does, before it is known what the names in it are."""

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema.

        Raises:
            RestError: the request names what is not there.
        """


def find_table(snapshot: SchemaCache, schema: str, name: str) -> Table:
    """Find a table by its exact name.

    Raises:
        RestError: there is none.
    """
    table = snapshot.table(schema, name)
    if table is None:
        meant = get_close_matches(name, snapshot.by_schema.get(schema, {}), 1, _SIMILARITY)
        raise RestError(
            "PGRST205",
            f"Could not find the table '{schema}.{name}' in the schema cache",
            hint=f"Perhaps you meant the table '{schema}.{meant[0]}'" if meant else None,
        )
    return table


def view_of(request: Request, *, has_next: bool = False) -> View:
    """Return the form in which the client wants rows, and perhaps the keys of the last one."""
    wanted = request.representation
    if wanted.form != "json":
        return View(wanted.form)
    return View("object" if wanted.is_object else "array", wanted.strips_nulls, has_next)


async def fetch(connection: Connection, statement: Statement, values: Values) -> Result:
    """Run a statement and take the one row that each of ours returns.

    Raises:
        asyncpg.PostgresError: PostgreSQL refused.
    """
    row = await connection.fetchrow(statement.text, *map(values.__getitem__, statement.slots))
    if row is None:
        raise LookupError("a statement of ours returned no row")
    keys = row[4] if len(row) > _FIXED_COLUMNS else None
    return Result(statement.heading + row[0], row[1], row[2], row[3], keys)
