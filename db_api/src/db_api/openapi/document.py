"""Put a document together: of the tables, and of what may be done with them. Pure.

Names of tables may be any text, names inside a document's components may not: a table whose
name is not plain goes by its number there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from db_api._version import __version__
from db_api.catalog import Column, Function, Table
from db_api.grammar.request import METHODS
from db_api.openapi.functions import function_paths
from db_api.openapi.grammar import ERROR, PARAMETERS, RESPONSES, Json, rows_response
from db_api.openapi.privileges import Privileges, TablePrivileges
from db_api.openapi.types import column_schema

_PLAIN: Final = re.compile(r"[A-Za-z0-9_]+")
_READ: Final = ("select", "or", "order", "limit", "offset")
_REFUSED: Final = {"default": {"$ref": "#/components/responses/Refused"}}


def make_document(
    schema: str,
    tables: Iterable[Table],
    functions: Mapping[str, Sequence[Function]],
    privileges: Privileges,
    *,
    may_write: bool,
) -> Json:
    """Describe what a caller may do with the tables and functions of its schema.

    Args:
        schema: its name.
        tables: all that it has.
        functions: all that it has, by name.
        privileges: of the caller's login.
        may_write: the caller's key is for more than reading.
    """
    described = [
        _TableDocument(table, found, f"table-{number}", privileges, may_write=may_write)
        for number, table in enumerate(tables)
        if (found := privileges.tables.get(table.name)) is not None
        and (found.select or (may_write and found.insert))
    ]
    callable_ = {
        name: overloads for name, overloads in functions.items() if name in privileges.functions
    }
    info = {
        "title": f"Data of schema {schema}",
        "description": privileges.comment or "Tables and views, in PostgREST's grammar.",
        "version": __version__,
    }
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/rest/v1"}],
        "security": [{"apikey": []}, {"bearer": []}],
        "tags": [
            {"name": each.table.name, "description": each.table.comment or each.table.kind}
            for each in described
        ],
        "paths": {
            **{f"/{quote(each.table.name, safe='')}": each.path() for each in described},
            **dict(function_paths(callable_, privileges.enums)),
        },
        "components": {
            "parameters": {
                **{f"-{name}": parameter for name, parameter in PARAMETERS.items()},
                **{key: value for each in described for key, value in each.filters()},
            },
            "schemas": {
                "-error": ERROR,
                **{key: value for each in described for key, value in each.schemas()},
            },
            "responses": RESPONSES,
            "securitySchemes": {
                "apikey": {"type": "apiKey", "in": "header", "name": "apikey"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


class _TableDocument:
    """What is said of one table."""

    def __init__(
        self,
        table: Table,
        granted: TablePrivileges,
        number: str,
        privileges: Privileges,
        *,
        may_write: bool,
    ) -> None:
        self.table = table
        self._granted = granted
        self._key = table.name if _PLAIN.fullmatch(table.name) else number
        self._enums = privileges.enums
        self._may_write = may_write
        self._readable = [
            column for column in table.columns.values() if column.name in granted.readable
        ]

    def path(self) -> Json:
        """Describe its path."""
        operations = dict(self._operations())
        return {
            method.lower(): {
                "tags": [self.table.name],
                "operationId": f"{method.lower()}.{self._key}",
                **operation,
            }
            for method, operation in operations.items()
            if method in METHODS
        }

    def filters(self) -> Iterator[tuple[str, Json]]:
        """Describe a filter by each column."""
        for number, column in enumerate(self._readable):
            yield (
                self._filter_key(number, column),
                {
                    "name": column.name,
                    "in": "query",
                    "description": column.comment or f"{column.declared_type}: `operator.value`",
                    "schema": {"type": "string"},
                    "example": "eq.value",
                },
            )

    def schemas(self) -> Iterator[tuple[str, Json]]:
        """Describe its rows, and those that may be created."""
        yield self._key, self._row(self._readable)
        if self._may_write:
            columns = [
                column
                for column in self.table.columns.values()
                if column.name in self._granted.insertable and not column.is_generated
            ]
            required = [
                column.name for column in columns if not column.nullable and column.default is None
            ]
            row = self._row(columns)
            yield f"{self._key}.new", {**row, "required": required} if required else row

    def _row(self, columns: Iterable[Column]) -> Json:
        described: Json = {
            "type": "object",
            "properties": {column.name: self._column(column) for column in columns},
        }
        if self.table.comment:
            described["description"] = self.table.comment
        return described

    def _column(self, column: Column) -> Json:
        schema = column_schema(column, self._enums)
        if column.name in self.table.primary_key:
            schema["x-primary-key"] = True
        for key in self.table.foreign_keys:
            if key.columns == (column.name,):
                schema["x-references"] = f"{key.referenced_table}.{key.referenced_columns[0]}"
        return schema

    def _operations(self) -> Iterator[tuple[str, Json]]:
        name, granted = self.table.name, self._granted
        if granted.select:
            read = {
                "parameters": [*self._parameters(*_READ, "range", "prefer-read"), *self._filters()],
                "responses": {
                    "200": rows_response("The rows, all or a page of them.", self._reference()),
                    "206": rows_response("A page of what was counted.", self._reference()),
                    **_REFUSED,
                },
            }
            yield "GET", {"summary": f"Read {name}", **read}
            yield "HEAD", {**_bodiless(read), "summary": f"Count {name}"}
        if not self._may_write:
            return
        if granted.insert:
            yield "POST", self._write("Create rows of", "201", "columns", has_body=True)
        if granted.update:
            yield "PATCH", self._write("Change rows of", "204", "columns", "or", has_body=True)
        if granted.insert and granted.update and self.table.primary_key:
            yield "PUT", self._write("Create or replace one row of", "204", has_body=True)
        if granted.delete:
            yield "DELETE", self._write("Remove rows of", "204", "or", has_body=False)

    def _write(self, verb: str, done: str, *parameters: str, has_body: bool) -> Json:
        operation: Json = {
            "summary": f"{verb} {self.table.name}",
            "parameters": self._parameters("select", *parameters, "prefer-write"),
            "responses": {
                done: {"$ref": "#/components/responses/Done"},
                "200": rows_response("The rows, with `return=representation`.", self._reference()),
                **_REFUSED,
            },
        }
        if done == "201":
            operation["responses"] = {
                "201": rows_response("Created; the rows, if asked for.", self._reference()),
                **_REFUSED,
            }
        else:
            operation["parameters"] += self._filters()
        if has_body:
            operation["requestBody"] = self._body(is_many=done == "201")
        return operation

    def _body(self, *, is_many: bool) -> Json:
        row = self._reference(".new") if is_many else self._reference()
        options: Any = {"oneOf": [row, {"type": "array", "items": row}]} if is_many else row
        return {"required": True, "content": {"application/json": {"schema": options}}}

    def _parameters(self, *names: str) -> list[Json]:
        return [{"$ref": f"#/components/parameters/-{name}"} for name in names]

    def _filters(self) -> list[Json]:
        return [
            {"$ref": f"#/components/parameters/{self._filter_key(number, column)}"}
            for number, column in enumerate(self._readable)
        ]

    def _filter_key(self, number: int, column: Column) -> str:
        plain = _PLAIN.fullmatch(column.name)
        return f"{self._key}.{column.name if plain else f'column-{number}'}"

    def _reference(self, suffix: str = "") -> Json:
        return {"$ref": f"#/components/schemas/{self._key}{suffix}"}


def _bodiless(read: Json) -> Json:
    """Describe HEAD as GET whose answers have no content."""
    responses = {
        status: {name: value for name, value in response.items() if name != "content"}
        for status, response in read["responses"].items()
    }
    return {**read, "responses": responses}
