from typing import Literal

import pytest

from db_api.grammar.ast import (
    Comparison,
    Condition,
    Field,
    FullText,
    JsonStep,
    Logic,
    Membership,
    Truth,
)
from db_api.grammar.filters import COMPARISONS, QUANTIFIABLE, read_filter, read_logic
from db_api.grammar.keys import read_key
from db_api.rest_errors import RestError

ID = Field("id")


@pytest.mark.parametrize(
    "value",
    [
        *("", "1", "noop.1", "eq", "EQ.1", "eq().1", "eq(some).1", "neq(any).1", "cs(all).{}"),
        *("not.1", "not.not.eq.1", "is.nil", "is.nullx", "is.", "in.1", "in.(1", "in.(1)x"),
        *("in(any).(1)", "is(any).null", "qe.1", "fts().a", "fts", "fts(a.b).c", "xfts.a"),
    ],
)
def test_a_malformed_filter_is_refused(value: str) -> None:
    with pytest.raises(RestError) as refused:
        read_filter(ID, value)
    assert refused.value.code == "PGRST100"
    assert refused.value.message.startswith(f'"failed to parse filter ({value})" (line 1, column ')


@pytest.mark.parametrize(
    "key", ["", "->a", "id->", "id;--", "id(x)", "rel.", ".id", "a..b", "a.b c)"]
)
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(RestError) as refused:
        read_key(key)
    assert refused.value.code == "PGRST100"


@pytest.mark.parametrize(
    ("key", "path", "word", "field"),
    [
        ("id", (), None, ID),
        ('"id"', (), None, ID),
        ("orders.id", ("orders",), None, ID),
        (
            "orders.lines.d->>k",
            ("orders", "lines"),
            None,
            Field("d", (JsonStep("k", as_text=True),)),
        ),
        ('"odd.name"."x.y"', ("odd.name",), None, Field("x.y")),
        ("order", (), "order", Field("order")),
        ("orders.order", ("orders",), "order", Field("order")),
        ("a.b.limit", ("a", "b"), "limit", Field("limit")),
        ("a.offset", ("a",), "offset", Field("offset")),
        ('a."order"', ("a",), None, Field("order")),
        ("order->a", (), None, Field("order", (JsonStep("a", as_text=False),))),
        ("or", (), "or", Field("or")),
        ("not.or", (), "not.or", Field("or")),
        ("a.not.and", ("a",), "not.and", Field("and")),
        ("a.b.or", ("a", "b"), "or", Field("or")),
        ("not", (), None, Field("not")),
    ],
)
def test_a_key_names_a_resource_and_what_is_said_of_it(
    key: str, path: tuple[str, ...], word: str | None, field: Field
) -> None:
    read = read_key(key)
    assert (read.path, read.word, read.field) == (path, word, field)


@pytest.mark.parametrize("operator", ["fts", "plfts", "phfts", "wfts"])
def test_full_text_search_may_name_its_language(
    operator: Literal["fts", "plfts", "phfts", "wfts"],
) -> None:
    assert read_filter(ID, f"{operator}.a,b") == FullText(ID, operator, None, "a,b")
    assert read_filter(ID, f"not.{operator}(english).a & b") == FullText(
        ID, operator, "english", "a & b", negated=True
    )


@pytest.mark.parametrize("operator", sorted(COMPARISONS))
def test_every_operator_takes_the_rest_as_its_value(operator: str) -> None:
    value = 'a,b.(c)"d" and \\e'
    assert read_filter(ID, f"{operator}.{value}") == Comparison(ID, operator, value)
    assert read_filter(ID, f"not.{operator}.") == Comparison(ID, operator, "", negated=True)


@pytest.mark.parametrize("operator", sorted(QUANTIFIABLE))
def test_an_operator_may_ask_for_any_or_all_of_an_array(operator: str) -> None:
    assert read_filter(ID, f"{operator}(any).{{1,2}}") == Comparison(ID, operator, "{1,2}", "any")
    assert read_filter(ID, f"{operator}(all).{{1,2}}") == Comparison(ID, operator, "{1,2}", "all")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("(1)", ("1",)),
        ("(1,2)", ("1", "2")),
        ("()", ()),
        ("(   )", ()),
        ('("")', ()),
        ("(,)", ("", "")),
        ('("a,b",c)', ("a,b", "c")),
        (r'("a\"b","\\")', ('a"b', "\\")),
        ("(\\)", ("\\",)),
        ('("a"b)', ('"a"b',)),
        ("(a b, c)", ("a b", " c")),
    ],
)
def test_a_list_is_read_with_its_quotes_and_escapes(text: str, values: tuple[str, ...]) -> None:
    assert read_filter(ID, f"in.{text}") == Membership(ID, values)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("null", "NULL"),
        ("NULL", "NULL"),
        ("not_null", "NOT NULL"),
        ("TrUe", "TRUE"),
        ("false", "FALSE"),
        ("unknown", "UNKNOWN"),
    ],
)
def test_is_knows_five_words_in_any_case(text: str, what: str) -> None:
    read = read_filter(ID, f"not.is.{text}")
    assert isinstance(read, Truth)
    assert (read.what, read.negated) == (what, True)


def test_a_filter_may_look_into_json() -> None:
    field = Field("d", (JsonStep("a", as_text=False), JsonStep(-1, as_text=True)))
    assert read_filter(read_key("d->a->>-1").field, "eq.x") == Comparison(field, "eq", "x")


def eq(column: str, value: str) -> Comparison:
    return Comparison(Field(column), "eq", value)


@pytest.mark.parametrize(
    ("operator", "text", "expected"),
    [
        ("or", "(a.eq.1,b.eq.2)", Logic("or", (eq("a", "1"), eq("b", "2")))),
        ("not.and", "(a.eq.1)", Logic("and", (eq("a", "1"),), negated=True)),
        ("or", "( a.eq.1 , b.eq.2 )", Logic("or", (eq("a", "1 "), eq("b", "2 ")))),
        (
            "and",
            "(a.eq.1,not.or(b.eq.2,c.eq.3))",
            Logic("and", (eq("a", "1"), Logic("or", (eq("b", "2"), eq("c", "3")), negated=True))),
        ),
        ("or", '(a.eq."x,y)")', Logic("or", (eq("a", "x,y)"),))),
        ("or", '(a.eq."x"y)', Logic("or", (eq("a", '"x"y'),))),
        ("or", "(a.eq.{1,2},b.eq.3)", Logic("or", (eq("a", "{1,2}"), eq("b", "3")))),
        ("or", "(a.in.(1,2))", Logic("or", (Membership(Field("a"), ("1", "2")),))),
        (
            "or",
            "(a.fts(x).b,c.eq.1)",
            Logic("or", (FullText(Field("a"), "fts", "x", "b"), eq("c", "1"))),
        ),
        ("or", "(a.not.is.null)", Logic("or", (Truth(Field("a"), "NULL", negated=True),))),
        ("or", "(order.eq.1)", Logic("or", (eq("order", "1"),))),
        ("or", "(and.eq.1)", Logic("or", (eq("and", "1"),))),
    ],
)
def test_logic_is_read_as_a_tree(operator: str, text: str, expected: Condition) -> None:
    assert read_logic(operator, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "()",
        "(a.eq.1",
        "a.eq.1)",
        "(a.eq.1)x",
        "(a)",
        "(a.eq.1,)",
        "(xor(a.eq.1))",
        "(a.noop.1)",
    ],
)
def test_malformed_logic_is_refused(text: str) -> None:
    with pytest.raises(RestError) as refused:
        read_logic("or", text)
    assert refused.value.code == "PGRST100"


def test_logic_nests_ten_levels_deep() -> None:
    read_logic("or", "(or" * 9 + "(a.eq.1)" + ")" * 9)


def test_an_eleventh_level_is_refused() -> None:
    with pytest.raises(RestError) as refused:
        read_logic("or", "(or" * 10 + "(a.eq.1)" + ")" * 10)
    assert refused.value.code == "DBAPI400"


def test_logic_as_deep_as_a_url_is_refused_without_exhausting_the_stack() -> None:
    with pytest.raises(RestError):
        read_logic("or", "(or" * 5_000)
