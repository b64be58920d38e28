"""Plan the call of a function: its rows are read as those of a table are."""

from typing import Final

from db_api.catalog import Function, SchemaCache, result_table
from db_api.grammar.arguments import Arguments
from db_api.grammar.request import Request
from db_api.identifiers import SqlName
from db_api.plan.model import NOTHING, Argument, Call, CallPlan, Incoming, Target, View
from db_api.plan.overloads import takes_value
from db_api.plan.read import plan_rows
from db_api.plan.tree import Bounds, Source
from db_api.plan.values import Values
from db_api.rest_errors import RestError

CALLED: Final = SqlName("called")
"""What the rows that a function returned are called in the statement."""

VALUE: Final = "value"
"""What the value is called that a function returns if it returns no rows."""


def plan_call(
    request: Request,
    snapshot: SchemaCache,
    function: Function,
    values: Values,
    *,
    arguments: Arguments,
    bounds: Bounds,
    view: View,
) -> CallPlan:
    """Plan a call.

    Args:
        request: what is shown of what the function returns, which rows of it, in which order.
        snapshot: the schema cache that `function` belongs to.
        function: accepts the arguments.
        values: takes the request's values.
        arguments: what it is called with.
        bounds: what the server allows.
        view: what becomes of the rows, where there are many.

    Raises:
        RestError: the query names what is not there, or asks for too much.
    """
    preferences = request.preferences
    if preferences.max_affected is not None and not function.is_set:
        raise RestError(
            "PGRST128",
            "Function must return SETOF or TABLE when max-affected preference is used"
            " with handling=strict",
        )
    table = function.rows or result_table(function.schema, function.name, [(VALUE, "text")])
    return CallPlan(
        call=_plan_arguments(function, values, arguments),
        read=plan_rows(
            request.query,
            snapshot,
            Source(table, CALLED),
            values,
            page=request.page,
            bounds=bounds,
            count=preferences.count if preferences.max_affected is None else "exact",
            view=view if view == NOTHING else _view(function, view),
        ),
    )


def _view(function: Function, wanted: View) -> View:
    if function.is_void:
        return NOTHING
    if wanted.shape in {"csv", "ndjson"}:
        return wanted
    if function.rows is None:
        return View("values" if function.is_set else "value")
    return wanted if function.is_set else View("object", wanted.strips_nulls)


def _plan_arguments(function: Function, values: Values, arguments: Arguments) -> Call:
    returns_rows = function.rows is not None
    if takes_value(function, arguments) and arguments.raw is not None:
        body = values.add(arguments.raw[0])
        return Call(function.sql_name, (), None, body, function.parameters[0].type, returns_rows)
    given = [each for each in function.parameters if each.name in arguments.names]
    variadic = [parameter.name for parameter in given if parameter.is_variadic]
    return Call(
        function.sql_name,
        tuple(Argument(parameter.sql_name, parameter.is_variadic) for parameter in given),
        Incoming(
            values.add(arguments.as_json(variadic)),
            arguments.is_object,
            tuple(Target(parameter.sql_name, parameter.type) for parameter in given),
        )
        if given
        else None,
        None,
        None,
        returns_rows,
    )
