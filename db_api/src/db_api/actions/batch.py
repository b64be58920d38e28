"""Several operations in one transaction: all of them are kept, or none is."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg

from db_api.actions.action import Action, Work
from db_api.answers import Answer
from db_api.catalog import SchemaCache
from db_api.connections import Connection
from db_api.rest_errors import RestError


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a batch.

    Attributes:
        settings: a statement that shows the operation's request to SQL.
    """

    action: Action
    settings: str


@dataclass(frozen=True, slots=True)
class Batch:
    """POST of a batch. What goes wrong has a note that says at which place."""

    operations: Sequence[Operation]

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        works = []
        for place, operation in enumerate(self.operations):
            with noting(place):
                works.append(operation.action.plan(snapshot, schema))
        return _PlannedBatch(self.operations, works)


@dataclass(frozen=True, slots=True)
class _PlannedBatch:
    operations: Sequence[Operation]
    works: Sequence[Work]

    @property
    def is_read_only(self) -> bool:
        """Tell whether it writes nothing."""
        return all(work.is_read_only for work in self.works)

    async def run(self, connection: Connection) -> Answer:
        answers = []
        for place, operation in enumerate(self.operations):
            with noting(place):
                answers.append(await _run(connection, operation, self.works[place]))
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return _joined(answers)


async def _run(connection: Connection, operation: Operation, work: Work) -> Answer:
    """Run one operation; one that only reads cannot write, whatever it calls."""
    mode = "SET TRANSACTION READ ONLY;" if work.is_read_only else ""
    await connection.execute(f"SAVEPOINT db_api;{mode}{operation.settings}")
    answer = await work.run(connection)
    undone = "ROLLBACK TO SAVEPOINT db_api;" if work.is_read_only else ""
    await connection.execute(f"{undone}RELEASE SAVEPOINT db_api")
    return answer


def _joined(answers: Sequence[Answer]) -> Answer:
    """Join answers, whose bodies are JSON already, into one."""
    parts = (
        b'{"status":%d,"headers":%b,"body":%b}'
        % (answer.status, json.dumps(dict(answer.headers)).encode(), answer.body or b"null")
        for answer in answers
    )
    headers = (("Content-Type", "application/json; charset=utf-8"),)
    return Answer(200, headers, b'{"responses":[%b]}' % b",".join(parts))


@contextmanager
def noting(place: int) -> Iterator[None]:
    """Note on what is refused meanwhile which operation it was."""
    try:
        yield
    except (RestError, asyncpg.PostgresError) as error:
        error.add_note(f"requests[{place}]")
        raise
