"""Relationships in the schema cache, read from a real PostgreSQL."""

import pytest

from db_api.catalog import Relationship, SchemaCache
from support.shop import opened_side

pytestmark = pytest.mark.anyio


async def cache_of(url: str) -> SchemaCache:
    async with opened_side(url) as side:
        return await side.catalog.snapshot()


async def between(url: str, source: str, target: str) -> list[Relationship]:
    cache = await cache_of(url)
    table = cache.table("library", source)
    assert table is not None
    return list(cache.relationships.between(table, target))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("books", "vault"),  # the table under the view is in another schema
        ("books", "loans_2025"),
        ("copies", "loans_2025"),
        ("authors", "cellar"),
        ("genres", "authors"),
        ("editions", "genres"),
    ],
)
async def test_what_no_key_relates_is_not_related(library: str, source: str, target: str) -> None:
    assert await between(library, source, target) == []


async def test_a_junction_has_both_keys_in_its_primary_key(library: str) -> None:
    (only,) = await between(library, "books", "genres")
    assert only.junction is not None
    assert only.junction.table.name == "book_genres"  # not mentions
    assert only.junction.source_columns == (("id", "book_id"),)
    assert only.junction.target_columns == (("id", "genre_id"),)


async def test_a_key_is_seen_from_both_sides(library: str) -> None:
    (edition,) = await between(library, "copies", "editions")
    (copies,) = await between(library, "editions", "copies")
    assert (edition.cardinality, edition.constraint) == ("many-to-one", "of_edition")
    assert edition.columns == (("of_book", "book_id"), ("of_number", "number"))
    assert (copies.cardinality, copies.columns) == (
        "one-to-many",
        (("book_id", "of_book"), ("number", "of_number")),
    )


async def test_two_keys_to_one_table_are_two_relationships(library: str) -> None:
    found = await between(library, "books", "authors")
    assert [one.constraint for one in found] == ["edited_by", "written_by"]


async def test_a_unique_key_relates_one_to_one(library: str) -> None:
    for source, target in (("authors", "biographies"), ("biographies", "authors")):
        (found,) = await between(library, source, target)
        assert (found.cardinality, found.is_to_one) == ("one-to-one", True)


async def test_a_table_may_relate_to_itself(library: str) -> None:
    found = await between(library, "authors", "authors")
    assert [(one.cardinality, one.is_self) for one in found[:2]] == [
        ("one-to-many", True),
        ("many-to-one", True),
    ]


async def test_a_partitioned_table_has_its_keys_once(library: str) -> None:
    (found,) = await between(library, "copies", "loans")
    assert found.cardinality == "one-to-many"


@pytest.mark.parametrize(
    ("source", "target", "columns"),
    [
        ("novels", "authors", (("writer", "id"),)),
        ("recent_novels", "authors", (("writer", "id"),)),
        ("books", "writers", (("author_id", "the {id"),)),
        ("recent_novels", "writers", (("writer", "the {id"),)),
        ("writers", "novels", (("the {id", "writer"),)),
        ("novels", "editions", (("novel_id", "book_id"),)),
        ("books", "vaults", (("id", "book_id"),)),
        ("vaults", "books", (("book_id", "id"),)),
    ],
)
async def test_a_view_has_the_keys_whose_columns_it_shows(
    library: str, source: str, target: str, columns: tuple[tuple[str, str], ...]
) -> None:
    assert columns in {one.columns for one in await between(library, source, target)}


async def test_a_view_that_shows_a_key_twice_is_related_twice(library: str) -> None:
    found = await between(library, "twice", "authors")
    assert [one.columns for one in found] == [(("again", "id"),), (("author_id", "id"),)]


async def test_a_view_has_the_primary_key_that_it_shows(library: str) -> None:
    cache = await cache_of(library)
    tables = {table.name: table.primary_key for table in cache.tables("library")}
    assert tables["recent_novels"] == ("novel_id",)
    assert tables["writers"] == ("the {id",)
    assert tables["vaults"] == ("vault",)


async def test_a_function_of_a_row_is_a_computed_column(library: str) -> None:
    books = (await cache_of(library)).table("library", "books")
    assert books is not None
    assert list(books.computed) == ["full_title"]  # none that returns a row, none from elsewhere
    assert books.computed["full_title"].function == '"library"."full_title"'
