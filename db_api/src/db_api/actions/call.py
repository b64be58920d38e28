"""GET, HEAD and POST of a function."""

from dataclasses import dataclass

from db_api.actions.action import Work, fetch, view_of
from db_api.answers import Answer, answer_call, require_few_rows
from db_api.catalog import Function, SchemaCache
from db_api.connections import Connection
from db_api.grammar.arguments import Arguments
from db_api.grammar.request import Request
from db_api.plan import NOTHING, Bounds, CallPlan, Values, find_function, plan_call
from db_api.sql import call_statement


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function."""

    request: Request
    arguments: Arguments
    bounds: Bounds

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        request = self.request
        values = Values()
        function = find_function(snapshot, schema, request.name, self.arguments)
        plan = plan_call(
            request,
            snapshot,
            function,
            values,
            arguments=self.arguments,
            bounds=self.bounds,
            view=NOTHING if request.method == "HEAD" else view_of(request),
        )
        return _PlannedCall(request, function, plan, values)


@dataclass(frozen=True, slots=True)
class _PlannedCall:
    request: Request
    function: Function
    plan: CallPlan
    values: Values

    @property
    def is_read_only(self) -> bool:
        """Tell whether it writes nothing: GET promises that, and so does the function."""
        return self.request.method != "POST" or not self.function.is_volatile

    async def run(self, connection: Connection) -> Answer:
        result = await fetch(connection, call_statement(self.plan), self.values)
        require_few_rows(self.request, result)
        return answer_call(self.request, self.function, result)
