"""Names and operators of a request, resolved against one table."""

from functools import lru_cache
from types import MappingProxyType
from typing import Final

from db_api.catalog import Column, SchemaCache, Table
from db_api.grammar.ast import (
    Comparison,
    Condition,
    Field,
    Logic,
    Membership,
    OrderTerm,
    SelectAll,
    SelectField,
    SelectItem,
    Truth,
)
from db_api.identifiers import InvalidNameError, SqlName, quote
from db_api.plan.model import (
    Among,
    Compare,
    Expression,
    Is,
    Junction,
    Order,
    Output,
    PathStep,
    Predicate,
)
from db_api.plan.values import Values
from db_api.rest_errors import RestError

_OPERATORS: Final = MappingProxyType(
    {
        "eq": "=",
        "neq": "<>",
        "gt": ">",
        "gte": ">=",
        "lt": "<",
        "lte": "<=",
        "isdistinct": "IS DISTINCT FROM",
        "cs": "@>",
        "cd": "<@",
        "ov": "&&",
        "sl": "<<",
        "sr": ">>",
        "nxr": "&<",
        "nxl": "&>",
        "adj": "-|-",
    }
)
"""Operators whose value is of the field's type."""

_PATTERNS: Final = MappingProxyType(
    {"like": "LIKE", "ilike": "ILIKE", "match": "~", "imatch": "~*"}
)
"""Operators whose value is a text, whatever the field's type."""

MAX_OUTPUTS: Final = 1600
"""As many as a table of PostgreSQL's has columns; plans are kept, so their size is bounded."""

_JSON_TYPES: Final = ("json", "jsonb")


class Resolver:
    """Resolves the parts of one request.

    Args:
        snapshot: the schema cache that `table` belongs to.
        table: what the request is about.
        values: takes the request's values.
    """

    def __init__(self, snapshot: SchemaCache, table: Table, values: Values) -> None:
        self._snapshot = snapshot
        self._table = table
        self._values = values

    def outputs(self, items: tuple[SelectItem, ...]) -> tuple[Output, ...]:
        """Resolve a selection.

        Raises:
            RestError: it names what is not there.
        """
        found: list[Output] = []
        for item in items:
            if isinstance(item, SelectAll):
                found += _all_columns(self._table)
            else:
                found.append(self._output(item))
        if len(found) > MAX_OUTPUTS:
            raise RestError(
                "DBAPI400",
                "The request selects too many columns",
                details=f"At most {MAX_OUTPUTS} are allowed.",
            )
        return tuple(found)

    def predicate(self, condition: Condition) -> Predicate:
        """Resolve a condition.

        Raises:
            RestError: it names what is not there.
        """
        if isinstance(condition, Logic):
            operands = tuple(map(self.predicate, condition.operands))
            return Junction(condition.operator, operands, condition.negated)
        expression = self.expression(condition.field)
        if isinstance(condition, Truth):
            return Is(expression, condition.what, condition.negated)
        if isinstance(condition, Membership):
            return Among(expression, self._values.add(condition.values), condition.negated)
        return self._comparison(condition, expression)

    def order(self, term: OrderTerm) -> Order:
        """Resolve a term of the order.

        Raises:
            RestError: it names what is not there.
        """
        return Order(self.expression(term.field), term.direction, term.nulls)

    def expression(self, field: Field) -> Expression:
        """Resolve a field.

        Raises:
            RestError: the table has no such column.
        """
        column = self._column(field.name)
        steps = tuple(
            PathStep(self._values.add(str(step.key)), isinstance(step.key, int), step.as_text)
            for step in field.path
        )
        if not steps:
            return Expression(column.sql_name, (), column.type, converts=False)
        converts = column.type not in _JSON_TYPES
        json_type = "jsonb" if converts else column.type
        type_ = "text" if steps[-1].as_text else json_type
        return Expression(column.sql_name, steps, type_, converts)

    def _output(self, item: SelectField) -> Output:
        expression = self.expression(item.field)
        cast = None if item.cast is None else self._cast_type(item.cast)
        return Output(expression, cast, _output_name(item))

    def _comparison(self, condition: Comparison, expression: Expression) -> Compare:
        value, type_ = condition.value, expression.type
        operator = _OPERATORS.get(condition.operator)
        if operator is None:
            operator, type_ = _PATTERNS[condition.operator], "text"
        if condition.operator in {"like", "ilike"}:
            value = value.replace("*", "%")
        slot = self._values.add(value)
        return Compare(expression, operator, slot, type_, condition.quantifier, condition.negated)

    def _column(self, name: str) -> Column:
        column = self._table.columns.get(name)
        if column is None:
            raise RestError("42703", f"column {self._table.name}.{name} does not exist")
        return column

    def _cast_type(self, name: str) -> str:
        found = self._snapshot.cast_type(self._table.schema, name)
        if found is None:
            raise RestError("42704", f'type "{name}" does not exist')
        return found


@lru_cache(maxsize=256)  # few: it keeps tables of old schema caches alive
def _all_columns(table: Table) -> tuple[Output, ...]:
    return tuple(map(_plain, table.columns.values()))


def _plain(column: Column) -> Output:
    expression = Expression(column.sql_name, (), column.type, converts=False)
    return Output(expression, None, column.sql_name)


def _output_name(item: SelectField) -> SqlName:
    """Name a member: its alias, else the last key of its path, else the column."""
    keys = [step.key for step in item.field.path if isinstance(step.key, str)]
    name = item.alias or (keys[-1] if keys else item.field.name)
    try:
        return quote(name)
    except InvalidNameError as error:
        raise RestError(
            "PGRST100",
            f"A member of the answer cannot have this name: {error}",
            hint="Give it a shorter alias: select=alias:field",
        ) from error
