import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_api.grammar.ast import Comparison, Field, JsonStep, Logic, OrderTerm, SelectAll
from db_api.grammar.order import read_order
from db_api.grammar.query import MAX_BIGINT, MAX_FILTERS, read_query
from db_api.rest_errors import RestError


@pytest.mark.parametrize(
    "text",
    [
        *(",", "id,", "id.up", "id.desc.last", "id.nullslast.desc", ".desc"),
        *("a(id", "a()", "a(id)x", "a->b(id)", "a(b(id))", "a(id.desc)"),
    ],
)
def test_a_malformed_order_is_refused(text: str) -> None:
    with pytest.raises(RestError) as refused:
        read_order(text)
    assert refused.value.code == "PGRST100"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id", OrderTerm(Field("id"), None, None)),
        ("id.asc", OrderTerm(Field("id"), "asc", None)),
        ("id.desc.nullslast", OrderTerm(Field("id"), "desc", "nullslast")),
        ("id.nullsfirst", OrderTerm(Field("id"), None, "nullsfirst")),
        ("a(id)", OrderTerm(Field("id"), None, None, "a")),
        ("a( id ).desc.nullslast", OrderTerm(Field("id"), "desc", "nullslast", "a")),
        ("d->>a.desc", OrderTerm(Field("d", (JsonStep("a", as_text=True),)), "desc", None)),
        ("d->0.asc", OrderTerm(Field("d", (JsonStep(0, as_text=False),)), "asc", None)),
    ],
)
def test_an_order_names_field_direction_and_nulls(text: str, expected: OrderTerm) -> None:
    assert read_order(text) == (expected,)


@pytest.mark.parametrize(
    "query", [b"id=%ff", b"%c3=eq.1", b"id=eq.%ed%a0%80", b"limit=ten", b"offset=1e3", b"limit="]
)
def test_a_query_string_that_says_nothing_readable_is_refused(query: bytes) -> None:
    with pytest.raises(RestError) as refused:
        read_query(query)
    assert refused.value.status == 400


def test_a_negative_limit_is_not_satisfiable() -> None:
    with pytest.raises(RestError) as refused:
        read_query(b"limit=-1")
    assert (refused.value.code, refused.value.status) == ("PGRST103", 416)


def test_a_negative_offset_is_none_at_all() -> None:
    assert read_query(b"offset=-4").offset == 0


def test_a_number_beyond_bigint_means_its_greatest_value() -> None:
    query = read_query(b"limit=" + b"9" * 50 + b"&offset=9223372036854775808")
    assert (query.limit, query.offset) == (MAX_BIGINT, MAX_BIGINT)


def test_an_upsert_target_is_a_list_of_names() -> None:
    assert read_query(b'on_conflict="a,b",c').on_conflict == ("a,b", "c")


def test_an_empty_query_selects_everything_once() -> None:
    query = read_query(b"")
    assert (query.select, query.where, query.order) == ((SelectAll(),), (), ())
    assert (query.limit, query.offset, query.columns) == (None, 0, None)


def test_repeated_keys_mean_and() -> None:
    assert read_query(b"id=gt.1&id=lt.9").where == (
        Comparison(Field("id"), "gt", "1"),
        Comparison(Field("id"), "lt", "9"),
    )


def test_texts_are_percent_decoded_with_plus_as_space() -> None:
    query = read_query(b"a+b=eq.%26+%C3%A9%2B")
    assert query.where == (Comparison(Field("a b"), "eq", "& é+"),)


def test_logic_keys_are_conditions_and_columns_are_names() -> None:
    query = read_query(b'not.or=(a.eq.1)&columns="b",a,b')
    assert query.where == (Logic("or", (Comparison(Field("a"), "eq", "1"),), negated=True),)
    assert query.columns == ("b", "a")


def test_as_many_filters_as_allowed_are_read() -> None:
    assert len(read_query(b"&".join([b"id=eq.1"] * MAX_FILTERS)).where) == MAX_FILTERS


@pytest.mark.parametrize("spare", [b"id=eq.1", b"or=(id.eq.1,id.eq.2)"])
def test_one_filter_too_many_is_refused_wherever_it_hides(spare: bytes) -> None:
    with pytest.raises(RestError) as refused:
        read_query(b"&".join([b"id=eq.1"] * MAX_FILTERS + [spare]))
    assert refused.value.code == "DBAPI400"


_PIECES = st.sampled_from(
    [
        *("select=", "id", "*", ",", "::text", "->", "->>", "a", '"', "\\", "(", ")", "...", "!"),
        *("&", "=", "eq.", "not.", "in.", "is.", "null", "or=", "and=", "or", "and", ".", "{", "}"),
        *("order=", "desc", "nullslast", "limit=", "offset=", "columns=", "-1", "0", "%00", "%ff"),
        *("%ed%a0%80", "+", " ", ":", "é", "'", ";--", "$1", "\n"),
    ]
)


def status_of(query: bytes) -> int:
    try:
        read_query(query)
    except RestError as refused:
        return refused.status
    return 200


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(query: bytes) -> None:
    assert status_of(query) in {200, 400, 416}


@given(st.lists(_PIECES).map("".join))
def test_whatever_is_made_of_the_grammar_is_read_or_refused(query: str) -> None:
    assert status_of(query.encode()) in {200, 400, 416}


def test_what_is_said_of_embedded_resources_stands_apart() -> None:
    query = read_query(
        b"select=a(b())&x=eq.1&a.x=eq.2&a.or=(x.eq.3,x.eq.4)&a.b.order=x&a.b.limit=5&a.b.offset=6"
    )
    assert query.where == (Comparison(Field("x"), "eq", "1"),)
    of_a, of_b = query.embedded[("a",)], query.embedded["a", "b"]
    assert of_a.where[0] == Comparison(Field("x"), "eq", "2")
    assert isinstance(of_a.where[1], Logic)
    assert (of_b.order, of_b.limit, of_b.offset) == ((OrderTerm(Field("x"), None, None),), 5, 6)


def test_filters_are_counted_wherever_they_stand() -> None:
    half = MAX_FILTERS // 2
    read_query(b"&".join([b"x=eq.1", b"a.x=eq.1"] * half))
    with pytest.raises(RestError) as refused:
        read_query(b"&".join([b"x=eq.1", b"a.x=eq.1"] * half + [b"b.x=eq.1"]))
    assert refused.value.code == "DBAPI400"


@pytest.mark.parametrize("query", [b"a.limit=-1", b"a.limit=ten", b"a.offset=x", b"a.order=x.up"])
def test_what_is_said_of_embedded_resources_is_read_as_strictly(query: bytes) -> None:
    with pytest.raises(RestError) as refused:
        read_query(query)
    assert refused.value.code in {"PGRST100", "PGRST103"}
