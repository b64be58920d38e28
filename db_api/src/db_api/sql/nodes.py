"""The SELECT of one node, those of the nodes within it, and the aggregate that makes JSON of rows.

Related rows are correlated subqueries in the SELECT list, which PostgreSQL evaluates for the rows
of the page alone. Those whose members are spread are joined instead, so that one of them can be
grouped by; where they must be there, EXISTS says so, and says it in counts as well.
"""

from collections import Counter
from collections.abc import Iterator

from db_api.plan.model import View
from db_api.plan.node import (
    CountOutput,
    EmbedOutput,
    Exists,
    Expression,
    Link,
    Member,
    Node,
    Order,
    Output,
    Related,
    SpreadOutput,
)
from db_api.plan.spread import is_json_member
from db_api.plan.values import Slot
from db_api.sql.expressions import (
    write_aggregation,
    write_cast,
    write_direction,
    write_expression,
    write_predicate,
)
from db_api.sql.lines import csv_heading, write_csv_rows, write_ndjson_rows
from db_api.sql.writer import Writer


def write_node(writer: Writer, node: Node, *, shows_outputs: bool = True) -> str:
    """Write the page of rows that a node describes; without outputs, rows of nothing."""
    return _Select(writer, node, None, None).page(shows_outputs=shows_outputs)


def write_source(writer: Writer, node: Node) -> str:
    """Write FROM and WHERE: the rows of a node, whichever page of them is asked for."""
    return _Select(writer, node, None, None).source()


def write_rows_after(writer: Writer, node: Node, offset: Slot) -> str:
    """Write the rows of a node from an offset on, whatever is shown of them."""
    select = _Select(writer, node, None, None)
    rows = select.groups() if node.is_grouped else f"SELECT {select.source()}"
    return f"{rows} OFFSET {writer.parameter(offset, 'int8')}"


def write_keys_at(writer: Writer, node: Node, offset: Slot) -> str:
    """Write the values by which a row is ordered, as JSON; NULL if it is the last one."""
    select = _Select(writer, node, None, None)
    keys = ", ".join(
        f"({write_expression(writer, select.rows, order.expression)})::text" for order in node.order
    )
    order = ", ".join(map(select.order, node.order))
    rows = (
        f"SELECT json_build_array({keys})::text AS keys {select.source()} ORDER BY {order}"
        f" LIMIT 2 OFFSET {writer.parameter(offset, 'int8')}"
    )
    return f"SELECT CASE WHEN count(*) = 2 THEN (array_agg(keys))[1] END FROM ({rows}) AS last"


def heading_of(view: View, node: Node) -> bytes:
    """Return what stands before the rows of a body."""
    return csv_heading(node) if view.shape == "csv" else b""


def write_body(view: View, node: Node) -> str:
    """Write the body as bytes, made of all rows of `page`, which are those of a node.

    `page.*` is the row even where a column is called `page`.
    """
    if view.shape == "none":
        return "''::bytea"
    if view.shape in {"csv", "ndjson"}:
        lines = write_csv_rows(node) if view.shape == "csv" else write_ndjson_rows()
        return f"convert_to(coalesce({lines}, ''), 'UTF8')"
    rows = "json_agg(page.value)" if view.shape in {"value", "values"} else "json_agg(page.*)"
    if view.strips_nulls:
        rows = f"json_strip_nulls({rows})"
    if view.shape in {"object", "value"}:
        return f"convert_to(coalesce(({rows}->0)::text, 'null'), 'UTF8')"
    return f"convert_to(coalesce({rows}::text, '[]'), 'UTF8')"


def write_full_arrays(writer: Writer, node: Node) -> Iterator[str]:
    """Write, of each array of related rows in `page`, whether any is as long as the cap.

    An item and what follows it have at least three characters, so that most arrays need not be
    counted. What has the name of another member cannot be asked for.
    """
    names = Counter(output.name for output in node.outputs)
    for output in node.outputs:
        if not isinstance(output, EmbedOutput | SpreadOutput) or names[output.name] > 1:
            continue
        inner = node.related[output.related]
        if inner.is_capped and inner.node.limit is not None:
            cap = writer.parameter(inner.node.limit, "int8")
            array = f"page.{output.name}"
            yield (
                f"coalesce(bool_or(CASE WHEN octet_length({array}::text) >= 3 * {cap}"
                f" THEN json_array_length({array}::json) >= {cap} END), false)"
            )


def _shows(output: Output, expression: Expression) -> bool:
    return output.expression == expression and output.cast is None


class _Select:
    """The SELECT of one node, written once.

    Args:
        writer: numbers parameters and rows.
        node: what is selected.
        outer: the name of the rows around it that it is related to; None for none.
        link: how it is related to them.
    """

    def __init__(self, writer: Writer, node: Node, outer: str | None, link: Link | None) -> None:
        self._writer = writer
        self._node = node
        self._outer = outer
        self._link = link
        self._rows = writer.rows()
        self._spreads = {
            position: writer.rows()
            for position, related in enumerate(node.related)
            if related.is_spread and related.node.outputs
        }

    def page(self, *, shows_outputs: bool = True) -> str:
        node = self._node
        shown = [self._output(output) for output in node.outputs] if shows_outputs else []
        clauses = [f"SELECT {', '.join(shown)}" if shown else "SELECT"]
        clauses.append(self._from(joins=True))
        if shown and node.is_grouped:
            clauses += self._group_by()
        if node.order:
            clauses.append(f"ORDER BY {', '.join(map(self.order, node.order))}")
        if node.limit is not None:
            clauses.append(f"LIMIT {self._writer.parameter(node.limit, 'int8')}")
        if node.offset is not None:
            clauses.append(f"OFFSET {self._writer.parameter(node.offset, 'int8')}")
        return " ".join(clauses)

    def groups(self) -> str:
        """Write the groups of a node, whichever page of them is asked for."""
        shown = ", ".join(self._output(output) for output in self._node.outputs)
        return " ".join([f"SELECT {shown}", self._from(joins=True), *self._group_by()])

    def source(self) -> str:
        """Write FROM and WHERE, without what only shows something."""
        return self._from(joins=False)

    def _from(self, *, joins: bool) -> str:
        text = f"FROM {self._node.source} AS {self._rows}"
        conditions: list[str] = []
        if self._link and self._outer:
            text, conditions = self._linked(text, self._link, self._outer)
        if joins:
            for position, name in self._spreads.items():
                related = self._write_spread(self._node.related[position])
                text += f" LEFT JOIN LATERAL ({related}) AS {name} ON true"
        conditions += [
            write_predicate(self._writer, self._rows, part, self._exists)
            for part in self._node.where
        ]
        return f"{text} WHERE {' AND '.join(conditions)}" if conditions else text

    def _linked(self, text: str, link: Link, outer: str) -> tuple[str, list[str]]:
        related = self._rows
        conditions = []
        if link.junction is not None:
            related = self._writer.rows()
            pairs = " AND ".join(f"{self._rows}.{a} = {related}.{b}" for a, b in link.inner)
            text += f" JOIN {link.junction} AS {related} ON {pairs}"
        conditions += [f"{related}.{there} = {outer}.{here}" for here, there in link.outer]
        return text, conditions

    def _output(self, output: Member) -> str:
        value = self._value(output)
        if self._node.is_grouped and is_json_member(output):
            value = f"({value})::jsonb"
        return f"{value} AS {output.name}"

    def _value(self, output: Member) -> str:
        if isinstance(output, EmbedOutput):
            return self._embed(self._node.related[output.related])
        if isinstance(output, SpreadOutput):
            column = f"{self._spreads[output.related]}.{output.column}"
            return write_aggregation(column, output.aggregation)
        if isinstance(output, CountOutput):
            return write_aggregation("*" if output.aggregation else "1", output.aggregation)
        value = write_expression(self._writer, self._rows, output.expression)
        return write_aggregation(write_cast(value, output.cast), output.aggregation)

    def _embed(self, related: Related) -> str:
        page = self._within(related).page()
        rows = self._writer.rows()
        if related.is_one:
            return f"(SELECT row_to_json({rows}.*) FROM ({page}) AS {rows})"
        return f"(SELECT coalesce(json_agg({rows}.*), '[]') FROM ({page}) AS {rows})"

    def _write_spread(self, related: Related) -> str:
        page = self._within(related).page()
        if related.is_one:
            return page
        rows = self._writer.rows()
        arrays = ", ".join(
            f"coalesce(json_agg({rows}.{output.name}), '[]') AS {output.name}"
            for output in related.node.outputs
        )
        return f"SELECT {arrays} FROM ({page}) AS {rows}"

    def _exists(self, exists: Exists) -> str:
        source = self._within(self._node.related[exists.related]).source()
        return f"EXISTS (SELECT {source})"

    def _within(self, related: Related) -> "_Select":
        return _Select(self._writer, related.node, self._rows, related.link)

    def _group_by(self) -> list[str]:
        """Write GROUP BY: everything shown that is no aggregate, by its position."""
        places = [
            str(place)
            for place, output in enumerate(self._node.outputs, 1)
            if isinstance(output, EmbedOutput) or output.aggregation is None
        ]
        return [f"GROUP BY {', '.join(places)}"] if places else []

    def order(self, order: Order) -> str:
        """Write a term of ORDER BY."""
        if order.related is None:
            value = write_expression(self._writer, self._rows, order.expression)
        else:
            value = self._related_value(order.related, order)
        return value + write_direction(order)

    def _related_value(self, position: int, order: Order) -> str:
        """Write the value of a related row; one that is spread is at hand already."""
        related = self._node.related[position]
        for output in related.node.outputs if related.is_spread else ():
            if isinstance(output, Output) and _shows(output, order.expression):
                return f"{self._spreads[position]}.{output.name}"
        select = self._within(related)
        source = select.source()
        value = write_expression(self._writer, select.rows, order.expression)
        return f"(SELECT {value} {source} LIMIT 1)"

    @property
    def rows(self) -> str:
        """The name of its rows."""
        return self._rows
