"""Names and operators of a request, resolved against one table."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from db_api.catalog import Column, ComputedColumn, SchemaCache, Table
from db_api.grammar.ast import (
    Comparison,
    Condition,
    Field,
    FullText,
    Logic,
    Membership,
    OrderTerm,
    SelectField,
    Truth,
)
from db_api.identifiers import InvalidNameError, SqlName, quote
from db_api.plan.node import (
    Among,
    Compare,
    Exists,
    Expression,
    Is,
    Junction,
    Order,
    Output,
    PathStep,
    Predicate,
    Search,
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

_SEARCHES: Final = MappingProxyType(
    {
        "fts": "to_tsquery",
        "plfts": "plainto_tsquery",
        "phfts": "phraseto_tsquery",
        "wfts": "websearch_to_tsquery",
    }
)
"""What makes a query of the text of each operator of full-text search."""

_JSON_TYPES: Final = ("json", "jsonb")
_NO_EMBEDS: Final[Mapping[str, int]] = MappingProxyType({})


class Resolver:
    """Resolves the parts of one request that are about one table.

    Args:
        snapshot: the schema cache that `table` belongs to.
        table: what they are about.
        values: takes the request's values.
        is_written: the rows are those that a write returned: what is computed of them is a column
            like all others.
    """

    def __init__(
        self, snapshot: SchemaCache, table: Table, values: Values, *, is_written: bool = False
    ) -> None:
        self._snapshot = snapshot
        self._table = table
        self._values = values
        self._is_written = is_written

    def predicate(self, condition: Condition, embeds: Mapping[str, int] = _NO_EMBEDS) -> Predicate:
        """Resolve a condition.

        Args:
            condition: what it says.
            embeds: the positions of the related nodes whose absence it may ask for, by name.

        Raises:
            RestError: it names what is not there.
        """
        if isinstance(condition, Logic):
            operands = tuple(self.predicate(operand, embeds) for operand in condition.operands)
            return Junction(condition.operator, operands, condition.negated)
        if isinstance(condition, Truth):
            return self._truth(condition, embeds)
        expression = self.expression(condition.field)
        if isinstance(condition, Membership):
            return Among(expression, self._values.add(condition.values), condition.negated)
        if isinstance(condition, FullText):
            return self._search(condition, expression)
        return self._comparison(condition, expression)

    def order(self, term: OrderTerm) -> Order:
        """Resolve a term of the order that looks at the table itself.

        Raises:
            RestError: it names what is not there.
        """
        if term.embed is not None:
            raise not_embedded(term.embed)
        return Order(self.expression(term.field), term.direction, term.nulls)

    def expression(self, field: Field) -> Expression:
        """Resolve a field.

        Raises:
            RestError: the table has no such column.
        """
        column = self._column(field.name)
        function = column.function if isinstance(column, ComputedColumn) else None
        if self._is_written:
            function = None
        steps = tuple(
            PathStep(self._values.add(str(step.key)), isinstance(step.key, int), step.as_text)
            for step in field.path
        )
        if not steps:
            return Expression(column.sql_name, (), column.type, converts=False, function=function)
        converts = column.type not in _JSON_TYPES
        json_type = "jsonb" if converts else column.type
        type_ = "text" if steps[-1].as_text else json_type
        return Expression(column.sql_name, steps, type_, converts, function)

    def output(self, item: SelectField) -> Output:
        """Resolve an item of the selection.

        Raises:
            RestError: it names what is not there.
        """
        return Output(self.expression(item.field), self.cast_type(item.cast), output_name(item))

    def all_outputs(self) -> tuple[Output, ...]:
        """Return every column of the table, the computed ones aside."""
        return _all_columns(self._table)

    def cast_type(self, name: str | None) -> str | None:
        """Resolve the type of a cast, if there is one.

        Raises:
            RestError: there is no such type.
        """
        if name is None:
            return None
        found = self._snapshot.cast_type(self._table.schema, name)
        if found is None:
            raise RestError("42704", f'type "{name}" does not exist')
        return found

    def _truth(self, condition: Truth, embeds: Mapping[str, int]) -> Predicate:
        """Resolve `is`, which asks for related rows where it names an embedded resource."""
        related = embeds.get(condition.field.name)
        if related is None or condition.field.path or condition.what not in {"NULL", "NOT NULL"}:
            return Is(self.expression(condition.field), condition.what, condition.negated)
        asks_for_none = condition.what == "NULL"
        return Exists(related, negated=asks_for_none is not condition.negated)

    def _comparison(self, condition: Comparison, expression: Expression) -> Compare:
        value, type_ = condition.value, expression.type
        operator = _OPERATORS.get(condition.operator)
        if operator is None:
            operator, type_ = _PATTERNS[condition.operator], "text"
        if condition.operator in {"like", "ilike"}:
            value = value.replace("*", "%")
        slot = self._values.add(value)
        return Compare(expression, operator, slot, type_, condition.quantifier, condition.negated)

    def _search(self, condition: FullText, expression: Expression) -> Search:
        language = condition.language
        return Search(
            expression,
            _SEARCHES[condition.operator],
            None if language is None else self._values.add(language),
            self._values.add(condition.query),
            expression.type != "tsvector",
            condition.negated,
        )

    def _column(self, name: str) -> Column | ComputedColumn:
        column = self._table.columns.get(name) or self._table.computed.get(name)
        if column is None:
            raise RestError("42703", f"column {self._table.name}.{name} does not exist")
        return column


def not_embedded(name: str) -> RestError:
    """Refuse to look at related rows that the request does not embed."""
    return RestError(
        "PGRST108",
        f"'{name}' is not an embedded resource in this request",
        hint=f"Verify that '{name}' is included in the 'select' query parameter.",
    )


@lru_cache(maxsize=256)  # few: it keeps tables of old schema caches alive
def _all_columns(table: Table) -> tuple[Output, ...]:
    return tuple(map(_plain, table.columns.values()))


def _plain(column: Column) -> Output:
    expression = Expression(column.sql_name, (), column.type, converts=False)
    return Output(expression, None, column.sql_name)


def output_name(item: SelectField) -> SqlName:
    """Name a member: its alias, else the last key of its path, else the column.

    Raises:
        RestError: PostgreSQL can give a column no such name.
    """
    keys = [step.key for step in item.field.path if isinstance(step.key, str)]
    return member_name(item.alias or (keys[-1] if keys else item.field.name))


def member_name(name: str) -> SqlName:
    """Make the name of a member of the answer's objects.

    Raises:
        RestError: PostgreSQL can give a column no such name.
    """
    try:
        return quote(name)
    except InvalidNameError as error:
        raise RestError(
            "PGRST100",
            f"A member of the answer cannot have this name: {error}",
            hint="Give it a shorter alias: select=alias:field",
        ) from error
