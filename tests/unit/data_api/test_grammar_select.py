import pytest

from db_api.grammar.ast import Field, JsonStep, SelectAll, SelectField
from db_api.grammar.select import read_select
from db_api.rest_errors import RestError


def key(name: str) -> JsonStep:
    return JsonStep(name, as_text=False)


def text(name: str | int) -> JsonStep:
    return JsonStep(name, as_text=True)


@pytest.mark.parametrize(
    "selection",
    [",", "id,", "id,,name", "id::", "a:b:c", "id->", "id->>", '"id', "na(me", "id!x", "id)", "*x"],
)
def test_a_malformed_selection_is_refused(selection: str) -> None:
    with pytest.raises(RestError) as refused:
        read_select(selection)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("selection", "part"),
    [
        ("id,orders(*)", "'orders'"),
        ("id,o:orders!fk!inner(id)", "'orders'"),
        ("...orders(*)", "Spreading"),
        ("count()", "aggregate"),
        ("total.sum()", "aggregate"),
    ],
)
def test_what_is_not_served_is_refused_by_name(selection: str, part: str) -> None:
    with pytest.raises(RestError) as refused:
        read_select(selection)
    assert refused.value.code == "PGRST127"
    assert part in str(refused.value.details)


def test_an_error_names_the_place_as_postgrest_does() -> None:
    with pytest.raises(RestError) as refused:
        read_select("id,name::")
    assert refused.value.message == (
        '"failed to parse select parameter (id,name::)" (line 1, column 10)'
    )


@pytest.mark.parametrize("selection", ["", "*"])
def test_nothing_and_a_star_select_everything(selection: str) -> None:
    assert read_select(selection) == (SelectAll(),)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("id", SelectField(Field("id"), None, None)),
        (" id ", SelectField(Field("id"), None, None)),
        ("with space", SelectField(Field("with space"), None, None)),
        ("with-dash", SelectField(Field("with-dash"), None, None)),
        ("цена", SelectField(Field("цена"), None, None)),
        ('"a,b.c"', SelectField(Field("a,b.c"), None, None)),
        (r'"a\"b\\c"', SelectField(Field('a"b\\c'), None, None)),
        ("x:id", SelectField(Field("id"), "x", None)),
        ("id::text", SelectField(Field("id"), None, "text")),
        ("x:id::double precision", SelectField(Field("id"), "x", "double precision")),
        ("d->a", SelectField(Field("d", (key("a"),)), None, None)),
        ("d->>a", SelectField(Field("d", (text("a"),)), None, None)),
        ("d->0->>-1", SelectField(Field("d", (JsonStep(0, as_text=False), text(-1))), None, None)),
        ("d->0x", SelectField(Field("d", (key("0x"),)), None, None)),
        ("d->a-b->c", SelectField(Field("d", (key("a-b"), key("c"))), None, None)),
        ('d->"a.b"', SelectField(Field("d", (key("a.b"),)), None, None)),
        ("x:d->>a::int", SelectField(Field("d", (text("a"),)), "x", "int")),
    ],
)
def test_a_field_is_read_with_alias_path_and_cast(selection: str, expected: SelectField) -> None:
    assert read_select(selection) == (expected,)


def test_several_items_keep_their_order() -> None:
    assert read_select("b, a ,*") == (
        SelectField(Field("b"), None, None),
        SelectField(Field("a"), None, None),
        SelectAll(),
    )
