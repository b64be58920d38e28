import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_api.grammar.body import read_json_body
from db_api.grammar.preferences import Count, read_preferences
from db_api.grammar.query import read_query
from db_api.grammar.ranges import Page
from db_api.plan import Bounds, Values, View, plan_insert, plan_read
from db_api.rest_errors import RestError
from db_api.sql import Statement, explain_statement, insert_statement, read_statement
from support.schema_caches import make_schema_cache, make_table

HOSTILE = make_table('it"ems', **{'na"me; --': "text", "d": "jsonb", "id": "int4 = 7"})
WHOLE = Page(0, None)
BOUNDS = Bounds(max_rows=1000, aggregates=True)


def read(query: bytes, page: Page = WHOLE, count: Count | None = None) -> tuple[Statement, Values]:
    values = Values()
    plan = plan_read(
        read_query(query),
        make_schema_cache(HOSTILE),
        HOSTILE,
        values,
        page=page,
        bounds=BOUNDS,
        count=count,
        view=View("array"),
    )
    return read_statement(plan), values


def insert(query: bytes, data: bytes, *preferences: str) -> tuple[Statement, Values]:
    values = Values()
    parsed = read_query(query)
    plan = plan_insert(
        parsed,
        make_schema_cache(HOSTILE),
        HOSTILE,
        values,
        body=read_json_body(data, needs_keys=parsed.columns is None),
        preferences=read_preferences(preferences),
        view=View("array"),
        bounds=BOUNDS,
    )
    return insert_statement(plan), values


def test_names_are_quoted_wherever_they_stand() -> None:
    query = b'select="na\\"me; --"&"na\\"me; --"=eq.1&order="na\\"me; --"'
    statement, _ = read(query, page=Page(0, 5))
    assert statement.text.count('"na""me; --"') == 4  # shown, called, filtered, ordered
    assert '"shop"."it""ems"' in statement.text
    assert 'na"me' not in statement.text.replace('""', "")


def test_a_value_is_bound_as_text_and_read_by_postgresql() -> None:
    statement, values = read(b"id=eq.1%27%3B--")
    assert re.search(r't1."id" = \(\$\d::text\)::int4', statement.text)
    assert "1';--" in [values[slot] for slot in statement.slots]


def test_parameters_are_numbered_in_the_order_of_their_slots() -> None:
    statement, values = read(
        b"select=d->k&id=in.(1,2)&limit=5&offset=2", page=Page(2, 5), count="exact"
    )
    numbers = {int(number) for number in re.findall(r"\$([0-9]+)", statement.text)}
    assert numbers == set(range(1, len(statement.slots) + 1))
    bound = [values[slot] for slot in statement.slots]
    assert bound == ["k", ("1", "2"), 5, 2]


def test_one_text_serves_every_request_of_a_shape() -> None:
    one, _ = read(b"id=eq.1")
    two, _ = read(b"id=eq.2")
    assert one is two


def test_explain_asks_about_the_rows_whichever_page_is_shown() -> None:
    values = Values()
    plan = plan_read(
        read_query(b"select=d->k&id=eq.1"),
        make_schema_cache(HOSTILE),
        HOSTILE,
        values,
        page=Page(0, 5),
        bounds=BOUNDS,
        count="planned",
        view=View("array"),
    )
    statement = explain_statement(plan)
    assert [values[slot] for slot in statement.slots] == ["1"]
    assert "LIMIT" not in statement.text


def test_an_insert_names_its_columns_and_binds_the_body_once() -> None:
    data = b'{"id":1,"d":{}}'
    statement, values = insert(b"", data)
    assert 'INSERT INTO "shop"."it""ems" AS t ("id", "d")' in statement.text
    assert [values[slot] for slot in statement.slots] == [data]
    assert "RETURNING 1" in statement.text


def test_an_insert_of_nothing_but_defaults_names_no_column() -> None:
    statement, _ = insert(b"", b"[{},{}]")
    assert 'INSERT INTO "shop"."it""ems" AS t SELECT FROM json_array_elements' in statement.text


def test_a_default_is_evaluated_only_for_a_row_that_lacks_the_column() -> None:
    statement, values = insert(b"columns=id", b"{}", "missing=default")
    assert re.search(
        r'CASE WHEN element.json->\(\$\d::text\) IS NULL THEN 7 ELSE b."id" END', statement.text
    )
    assert "id" in [values[slot] for slot in statement.slots]


VALUE = st.text(min_size=1, max_size=12).map(lambda text: f"zq{text}")


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def percent(text: str) -> bytes:
    return "".join(f"%{byte:02x}" for byte in text.encode()).encode()


@given(VALUE, VALUE, VALUE)
def test_no_value_of_a_request_reaches_the_text(value: str, item: str, key: str) -> None:
    query = b"&".join(
        [
            b"d->" + percent(quoted(key)) + b"=eq." + percent(value),
            b"id=in.(" + percent(quoted(item)) + b")",
            b"or=(id.gt." + percent(quoted(value)) + b",id.is.null)",
            b"order=d->>" + percent(quoted(key)),
        ]
    )
    statement, values = read(query)
    assert "zq" not in statement.text
    assert {value, key} <= {values[slot] for slot in statement.slots}


@given(st.dictionaries(st.sampled_from(["id", "d"]), VALUE, min_size=1))
def test_no_value_of_a_body_reaches_the_text(row: dict[str, str]) -> None:
    members = ",".join(f'"{name}":"{value.encode().hex()}zq"' for name, value in row.items())
    statement, _ = insert(b"", f"{{{members}}}".encode())
    assert "zq" not in statement.text


@pytest.mark.parametrize(
    "name", ["users;--", 'users"', "users\n", "é", "a" * 64, "pg_catalog.pg_authid", "\0"]
)
def test_a_hostile_column_never_becomes_sql(name: str) -> None:
    with pytest.raises(RestError):
        read(percent(quoted(name)) + b"=eq.1")
