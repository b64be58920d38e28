import pytest

from db_api.grammar.ast import Comparison, Field, Logic
from db_api.grammar.body import JsonBody, read_json_body
from db_api.grammar.preferences import NONE, Preferences, read_preferences
from db_api.grammar.query import read_query
from db_api.grammar.ranges import Page
from db_api.identifiers import SqlName
from db_api.plan import (
    Bounds,
    InsertPlan,
    ReadPlan,
    Values,
    View,
    after,
    plan_insert,
    plan_read,
    with_total_order,
)
from db_api.plan.node import Compare, Output
from db_api.rest_errors import RestError
from support.schema_caches import make_schema_cache, make_table

ITEMS = make_table(
    "items", id="int4 = nextval('seq')", name="text", d="jsonb", j="json", tags="text[]"
)
CACHE = make_schema_cache(ITEMS)
WHOLE = Page(0, None)
BOUNDS = Bounds(max_rows=1000, aggregates=True)


def plan(query: bytes, page: Page = WHOLE) -> tuple[ReadPlan, Values]:
    values = Values()
    made = plan_read(
        read_query(query),
        CACHE,
        ITEMS,
        values,
        page=page,
        bounds=BOUNDS,
        count=None,
        view=View("array"),
    )
    return made, values


def plan_post(
    query: bytes, data: bytes, preferences: Preferences = NONE
) -> tuple[InsertPlan, Values]:
    values = Values()
    parsed = read_query(query)
    body: JsonBody = read_json_body(data, needs_keys=parsed.columns is None)
    made = plan_insert(
        parsed,
        CACHE,
        ITEMS,
        values,
        body=body,
        preferences=preferences,
        view=View("object"),
        bounds=BOUNDS,
    )
    return made, values


@pytest.mark.parametrize(
    "query",
    [b"select=idx", b"idx=eq.1", b"order=idx", b"or=(id.eq.1,idx.eq.1)", b'"ID"=eq.1'],
)
def test_an_unknown_column_is_refused_wherever_it_stands(query: bytes) -> None:
    with pytest.raises(RestError) as refused:
        plan(query)
    assert refused.value.code == "42703"


@pytest.mark.parametrize("cast", ["nosuch", "text;drop table items", "other.mood", "text)"])
def test_an_unknown_type_is_refused(cast: str) -> None:
    with pytest.raises(RestError):
        plan(f"select=id::{cast}".encode())


@pytest.mark.parametrize(("cast", "sql"), [("TEXT", "text"), ("mood", "shop.mood")])
def test_a_cast_names_a_type_of_the_schema_or_of_postgresql(cast: str, sql: str) -> None:
    made, _ = plan(f"select=id::{cast}".encode())
    (shown,) = made.node.outputs
    assert isinstance(shown, Output)
    assert shown.cast == sql


@pytest.mark.parametrize("name", ["é" * 32, "a" * 64])
def test_an_alias_that_postgresql_would_cut_is_refused(name: str) -> None:
    with pytest.raises(RestError) as refused:
        plan(f"select={name}:id".encode())
    assert refused.value.code == "PGRST100"


@pytest.mark.parametrize(
    ("select", "name"),
    [
        ("id", "id"),
        ("x:id", "x"),
        ("d->a->>b", "b"),
        ("d->a->0", "a"),
        ("d->0", "d"),
        ("x:d->a", "x"),
    ],
)
def test_a_member_is_called_by_alias_last_key_or_column(select: str, name: str) -> None:
    made, _ = plan(f"select={select}".encode())
    assert made.node.outputs[0].name == f'"{name}"'


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        ("id", "int4"),
        ("d->a", "jsonb"),
        ("j->a", "json"),
        ("tags->0", "jsonb"),
        ("d->>a", "text"),
        ("d->a->>b", "text"),
    ],
)
def test_a_value_is_read_as_the_type_of_what_it_is_compared_with(column: str, type_: str) -> None:
    made, _ = plan(f"{column}=eq.1".encode())
    condition = made.node.where[0]
    assert isinstance(condition, Compare)
    assert condition.type == type_


def test_a_pattern_is_a_text_with_stars_for_percent_signs() -> None:
    made, values = plan(b"id=like.*a*&name=match.a*")
    like, match = made.node.where
    assert isinstance(like, Compare)
    assert isinstance(match, Compare)
    assert (like.type, values[like.value]) == ("text", "%a%")
    assert values[match.value] == "a*"


def test_requests_of_one_shape_have_one_plan() -> None:
    one, _ = plan(b"id=eq.1&d->>a=in.(x,y)&limit=5", Page(0, 5))
    two, _ = plan(b"id=eq.22&d->>bb=in.(z)&limit=77", Page(0, 77))
    assert one == two
    assert hash(one) == hash(two)


@pytest.mark.parametrize(
    ("page", "limit", "may_be_cut"),
    [
        (Page(0, None), 1000, True),
        (Page(0, 1001), 1000, True),
        (Page(0, 1000), 1000, False),
        (Page(5, 0), 0, False),
    ],
)
def test_no_page_is_longer_than_the_cap(page: Page, limit: int, may_be_cut: bool) -> None:  # noqa: FBT001 - a parameter of the test
    made, values = plan(b"", page)
    assert made.node.limit is not None
    assert values[made.node.limit] == limit
    assert (made.next_row is not None) is may_be_cut


@pytest.mark.parametrize(("query", "data"), [(b"", b'{"idx":1}'), (b"columns=id,idx", b"{}")])
def test_writing_an_unknown_column_is_refused(query: bytes, data: bytes) -> None:
    with pytest.raises(RestError) as refused:
        plan_post(query, data)
    assert refused.value.code == "PGRST204"


def test_a_write_that_shows_nothing_reads_no_column() -> None:
    made, _ = plan_post(b"select=idx&order=idx", b'{"name":"a"}')
    shown = made.shown
    assert (shown.returning, shown.node.outputs, shown.view) == ((), (), View("none"))


def test_a_write_that_shows_rows_returns_what_is_selected_and_ordered_by() -> None:
    preferences = read_preferences(["return=representation"])
    made, _ = plan_post(b"select=d->a&order=name", b'{"name":"a"}', preferences)
    assert made.shown.returning == ('"d"', '"name"')
    assert made.shown.view == View("object")


def test_a_write_that_shows_headers_returns_the_primary_key_as_an_array() -> None:
    made, _ = plan_post(b"", b'{"name":"a"}', read_preferences(["return=headers-only"]))
    assert (made.shown.returning, made.shown.view) == (('"id"',), View("array"))


def test_only_columns_with_a_default_are_filled_and_only_on_request() -> None:
    filled, _ = plan_post(b"columns=id,name", b"{}", read_preferences(["missing=default"]))
    plain, _ = plan_post(b"columns=id,name", b"{}")
    assert [target.default for target in filled.rows.targets] == ["nextval('seq')", None]
    assert [target.default for target in plain.rows.targets] == [None, None]
    assert [target.column for target in plain.rows.targets] == [SqlName('"id"'), SqlName('"name"')]


def test_a_selection_has_no_more_columns_than_a_table_can_have() -> None:
    plan(b"select=" + b",".join([b"id"] * 1600))

    with pytest.raises(RestError) as refused:
        plan(b"select=" + b",".join([b"*"] * 400))
    assert (refused.value.code, refused.value.status) == ("DBAPI400", 400)


def test_the_row_after_a_page_at_the_end_of_all_numbers_is_still_a_number() -> None:
    made, values = plan(b"", Page(2**63 - 1, None))

    assert made.next_row is not None
    assert values[made.next_row] == 2**63 - 1


def test_an_index_is_told_where_a_page_begins() -> None:
    query = with_total_order(read_query(b"order=name.desc"), ITEMS)
    assert query is not None
    first, ways = after(query, ITEMS, ["x", "1"]).where

    # what a B-tree can seek by, of the ways of which any may hold it can not
    assert first == Comparison(Field("name"), "lte", "x")
    assert isinstance(ways, Logic)
