import pytest

from db_api.grammar.ast import (
    Field,
    JsonStep,
    SelectAggregate,
    SelectAll,
    SelectEmbed,
    SelectField,
    SelectItem,
)
from db_api.grammar.select import MAX_EMBED_DEPTH, MAX_EMBEDS, read_select
from db_api.rest_errors import RestError


def key(name: str) -> JsonStep:
    return JsonStep(name, as_text=False)


def text(name: str | int) -> JsonStep:
    return JsonStep(name, as_text=True)


@pytest.mark.parametrize(
    "selection",
    [
        *(",", "id,", "id,,name", "id::", "a:b:c", "id->", "id->>", '"id', "na(me", "id!x", "id)"),
        *(
            "*x",
            "a(",
            "a(id",
            "a(id))x",
            "a(id,)",
            "a->b(id)",
            "a::int(id)",
            "a!(id)",
            "a!b!c!d(id)",
        ),
        *(
            "x:...a(id)",
            "...a",
            "...(id)",
            "*.sum()",
            "id.sum",
            "id.median()",
            "id.sum(x)",
            "count(x",
        ),
    ],
)
def test_a_malformed_selection_is_refused(selection: str) -> None:
    with pytest.raises(RestError) as refused:
        read_select(selection)
    assert refused.value.status == 400


ID, ALL = SelectField(Field("id"), None, None), SelectAll()


def nested(depth: int) -> str:
    return "a(" * depth + "id" + ")" * depth


@pytest.mark.parametrize(
    "selection", [nested(MAX_EMBED_DEPTH + 1), nested(5_000), ",".join(["a()"] * (MAX_EMBEDS + 1))]
)
def test_too_many_embedded_resources_are_refused(selection: str) -> None:
    with pytest.raises(RestError) as refused:
        read_select(selection)
    assert (refused.value.code, refused.value.status) == ("DBAPI410", 400)


def test_as_many_embedded_resources_as_are_allowed_are_read() -> None:
    read_select(nested(MAX_EMBED_DEPTH))
    assert len(read_select(",".join(["a()"] * MAX_EMBEDS))) == MAX_EMBEDS


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("a()", SelectEmbed("a", None, None, None, ())),
        ("a( * )", SelectEmbed("a", None, None, None, (ALL,))),
        ("a(id,*)", SelectEmbed("a", None, None, None, (ID, ALL))),
        ("x:a(id)", SelectEmbed("a", "x", None, None, (ID,))),
        ("a!fk(id)", SelectEmbed("a", None, "fk", None, (ID,))),
        ("a!inner(id)", SelectEmbed("a", None, None, "inner", (ID,))),
        ("a!left(id)", SelectEmbed("a", None, None, "left", (ID,))),
        ("x:a!fk!inner(id)", SelectEmbed("a", "x", "fk", "inner", (ID,))),
        ("a!inner!fk(id)", SelectEmbed("a", None, "fk", "inner", (ID,))),
        ("a!inner_one(id)", SelectEmbed("a", None, "inner_one", None, (ID,))),
        ('"a b.c"!"f,k"(id)', SelectEmbed("a b.c", None, "f,k", None, (ID,))),
        ("...a(id)", SelectEmbed("a", None, None, None, (ID,), is_spread=True)),
        ("...a!fk!inner(id)", SelectEmbed("a", None, "fk", "inner", (ID,), is_spread=True)),
        (
            "a(b(id),...c())",
            SelectEmbed(
                "a",
                None,
                None,
                None,
                (
                    SelectEmbed("b", None, None, None, (ID,)),
                    SelectEmbed("c", None, None, None, (), is_spread=True),
                ),
            ),
        ),
        ("a(id))", SelectEmbed("a", None, None, None, (ID,))),
        ("count()", SelectAggregate("count", None, None, None, None)),
        ("n:count()::text", SelectAggregate("count", None, None, "n", "text")),
        ("id.sum()", SelectAggregate("sum", Field("id"), None, None, None)),
        ("x:id::int.avg()::text", SelectAggregate("avg", Field("id"), "int", "x", "text")),
        ("d->>k::int.max()", SelectAggregate("max", Field("d", (text("k"),)), "int", None, None)),
    ],
)
def test_related_resources_and_aggregates_are_read(selection: str, expected: SelectItem) -> None:
    assert read_select(selection) == (expected,)
    assert read_select(f"id, {selection}") == (ID, expected)


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
