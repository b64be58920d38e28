"""Plans and statements of related rows, without a database."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_api.catalog import ForeignKey
from db_api.grammar.query import read_query
from db_api.grammar.ranges import Page
from db_api.identifiers import SqlName
from db_api.plan import Bounds, ReadPlan, Values, View, plan_read
from db_api.plan.columns import columns_read
from db_api.plan.tree import MAX_OUTPUTS
from db_api.rest_errors import RestError
from db_api.sql import Statement, read_statement
from support.schema_caches import make_schema_cache, make_table

MAKERS = make_table('ma"kers', **{'i"d; --': "int4", "name": "text"})
ITEMS = replace(
    make_table("items", id="int4", maker="int4", d="jsonb"),
    foreign_keys=(ForeignKey("made'by", ("maker",), "shop", 'ma"kers', ('i"d; --',)),),
)
CACHE = make_schema_cache(ITEMS, MAKERS)


def plan(query: bytes, *, max_rows: int = 1000) -> tuple[ReadPlan, Values]:
    values = Values()
    made = plan_read(
        read_query(query),
        CACHE,
        ITEMS,
        values,
        page=Page(0, None),
        bounds=Bounds(max_rows, aggregates=True),
        count="exact",
        view=View("array"),
    )
    return made, values


def statement(query: bytes) -> tuple[Statement, Values]:
    made, values = plan(query)
    return read_statement(made), values


def percent(text: str) -> bytes:
    return "".join(f"%{byte:02x}" for byte in text.encode()).encode()


def test_names_of_related_tables_are_quoted_wherever_they_stand() -> None:
    made, _ = statement(
        b'select="ma\\"kers"!inner("i\\"d; --")&"ma\\"kers"."i\\"d; --"=eq.1'
        b'&order="ma\\"kers"("i\\"d; --")'
    )
    assert '"shop"."ma""kers"' in made.text
    assert 'i"d' not in made.text.replace('""', "")
    assert "made'by" not in made.text


VALUE = st.text(min_size=1, max_size=12).map(lambda text: f"zq{text}")


@given(VALUE, VALUE)
def test_no_value_said_of_related_rows_reaches_the_text(value: str, key: str) -> None:
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    made, values = statement(
        b'select=x:"ma\\"kers"!inner(n:name->' + percent(quoted) + b")&x.name=eq." + percent(value)
    )
    assert "zq" not in made.text
    assert {value, key} <= {values[slot] for slot in made.slots}


def test_parameters_are_numbered_in_the_order_of_their_slots() -> None:
    made, values = statement(b"select=maker!inner(name)&maker.limit=7&maker.offset=3&id=eq.1")
    numbers = {int(number) for number in re.findall(r"\$([0-9]+)", made.text)}
    assert numbers == set(range(1, len(made.slots) + 1))
    assert {1, 3} <= {values[slot] for slot in made.slots}  # of the one row that there can be


def test_requests_of_one_shape_have_one_plan() -> None:
    one, _ = plan(b"select=id,maker(name)&maker.name=eq.a&maker=not.is.null")
    two, _ = plan(b"select=id,maker(name)&maker.name=eq.bb&maker=not.is.null")
    assert (one, hash(one)) == (two, hash(two))


def test_all_members_of_all_resources_are_counted() -> None:
    half = b",".join([b"id"] * (MAX_OUTPUTS // 2))
    plan(b"select=" + half)
    names = b",".join([b"name"] * (MAX_OUTPUTS // 2 + 1))
    with pytest.raises(RestError) as refused:
        plan(b"select=" + half + b",maker(" + names + b")")
    assert refused.value.code == "DBAPI400"


@pytest.mark.parametrize(
    ("query", "read"),
    [
        (b"select=id", {"id"}),
        (b"select=d->a&order=maker", {"d", "maker"}),
        (b"select=maker(name)", {"maker"}),
        (b"select=id,maker()&maker=is.null&or=(d.is.null,maker.is.null)", {"id", "maker", "d"}),
        (b"select=count()", set()),
    ],
)
def test_a_node_reads_the_columns_that_are_shown_filtered_or_related(
    query: bytes, read: set[str]
) -> None:
    made, _ = plan(query)
    assert columns_read(made.node) == {SqlName(f'"{name}"') for name in read}


def test_no_array_of_related_rows_is_longer_than_the_cap() -> None:
    made, values = plan(b"select=maker(items(id))&maker.items.limit=99", max_rows=5)
    (maker,) = made.node.related
    (items,) = maker.node.related
    limits = [values[node.limit] for node in (maker.node, items.node) if node.limit is not None]
    assert limits == [1, 5]
