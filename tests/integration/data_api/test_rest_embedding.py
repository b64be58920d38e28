"""Related rows within rows, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import asyncpg
import httpx
import pytest

from support.library import READER, VISITOR, make_library
from support.postgres import SharedPostgres
from support.shop import Settings, opened_shop, opened_side

pytestmark = pytest.mark.anyio

PUPILS: Final = [{"name": "Borges"}, {"name": "Christie"}]
HERS: Final = [{"title": "Emma"}, {"title": "Persuasion"}]
AUSTEN: Final = {"id": 1, "name": "Austen", "mentor": None}
LATE: Final = [3, 1, 4, 5, 2]


@pytest.fixture
def own_library(postgres: SharedPostgres, new_database: Callable[..., str]) -> str:
    return new_database(postgres.template("library", make_library))


@pytest.fixture
async def client(library: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_shop(library, READER) as client:
        yield client


async def rows(client: httpx.AsyncClient, url: str) -> Any:
    answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refusal(client: httpx.AsyncClient, url: str) -> tuple[int, dict[str, Any]]:
    answer = await client.get(url)
    return answer.status_code, answer.json()


async def test_what_is_not_related_is_refused_with_a_name_that_is_close(
    client: httpx.AsyncClient,
) -> None:
    status, error = await refusal(client, "/books?select=title,genre(name)")
    assert status == 400
    assert error == {
        "code": "PGRST200",
        "message": "Could not find a relationship between 'books' and 'genre' in the schema cache",
        "details": "Searched for a foreign key relationship between 'books' and 'genre' in the"
        " schema 'library', but no matches were found.",
        "hint": "Perhaps you meant 'genres' instead of 'genre'.",
    }


async def test_a_hint_that_matches_nothing_is_named(client: httpx.AsyncClient) -> None:
    status, error = await refusal(client, "/books?select=authors!loved_by(name)")
    assert (status, error["code"], error["hint"]) == (400, "PGRST200", None)
    assert "using the hint 'loved_by'" in error["details"]


async def test_several_relationships_are_listed_with_their_hints(client: httpx.AsyncClient) -> None:
    status, error = await refusal(client, "/books?select=authors(name)")
    assert (status, error["code"]) == (300, "PGRST201")
    assert error["details"] == [
        {
            "cardinality": "many-to-one",
            "embedding": "books with authors",
            "relationship": "edited_by using books(editor_id) and authors(id)",
        },
        {
            "cardinality": "many-to-one",
            "embedding": "books with authors",
            "relationship": "written_by using books(author_id) and authors(id)",
        },
    ]
    assert error["hint"] == (
        "Try changing 'authors' to one of the following: 'authors!edited_by',"
        " 'authors!written_by'. Find the desired relationship in the 'details' key."
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select=title&authors.name=eq.x", "PGRST108"),
        ("select=title,genres(name)&genres.books.title=eq.x", "PGRST108"),
        ("select=title,genres(name)&order=authors(name)", "PGRST108"),
        ("select=title,genres(name)&order=genres(name)", "PGRST118"),
        ("select=title,genres(nosuch)", "42703"),
        ("select=title,genres(name)&genres.nosuch=eq.x", "42703"),
        ("select=title,genres(name)&genres.order=nosuch", "42703"),
        ("select=title,genres(name)&genres=eq.x", "42703"),
        ("select=title,genres!inner(name)!left", "PGRST100"),
        ("select=title,nosuch,genre(name)", "PGRST200"),
    ],
)
async def test_what_makes_no_sense_of_related_rows_is_refused(
    client: httpx.AsyncClient, query: str, code: str
) -> None:
    status, error = await refusal(client, f"/books?{query}")
    assert (status, error["code"]) == (400, code)


@pytest.mark.parametrize("name", ["users;--", 'a"b', "pg_catalog.pg_authid", "\u0000", "é" * 40])
@pytest.mark.parametrize(
    "place", ["{}(*)", "genres!{}(*)", "x:{}(*)", "...{}(id)", "{}:genres(id)"]
)
async def test_a_hostile_name_is_no_sql(client: httpx.AsyncClient, place: str, name: str) -> None:
    quoted = '"' + name.replace('"', '\\"') + '"'
    answer = await client.get("/books", params={"select": place.format(quoted)})
    assert answer.status_code in {200, 400}
    assert answer.status_code == 400 or place.endswith(":genres(id)")


async def test_to_one_is_an_object_or_null(client: httpx.AsyncClient) -> None:
    found = await rows(client, "/books?select=title,authors!written_by(name)&order=id&id=gte.4")
    assert found == [
        {"title": "Curtain", "authors": {"name": "Christie"}},
        {"title": "Beowulf", "authors": None},
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/authors?id=eq.1&select=name,biographies(text)", {"text": "Born in Steventon"}),
        ("/biographies?author_id=eq.1&select=authors(name)", {"name": "Austen"}),
        ("/authors?id=eq.1&select=books!written_by(title)", HERS),
        ("/authors?id=eq.4&select=books!written_by(title)", []),
        ("/books?id=eq.4&select=genres(name)", [{"name": "Novel"}, {"name": "Crime"}]),
        ("/books?id=eq.1&select=genres!book_genres(name)", [{"name": "Novel"}]),
        ("/genres?id=eq.3&select=books(title)", []),
        ("/copies?id=eq.2&select=editions(year)", {"year": 1833}),
        ("/editions?number=eq.2&select=copies(shelf)", [{"shelf": "B"}, {"shelf": "A"}]),
        ("/copies?id=eq.2&select=loans(day)", [{"day": "2025-05-01"}]),
        ("/authors?id=eq.1&select=authors(name)", PUPILS),
        ("/authors?id=eq.2&select=mentor(name)", {"name": "Austen"}),
        ("/authors?id=eq.1&select=pupils:authors!mentor(name)", PUPILS),
        ("/books?id=eq.1&select=author_id(name)", {"name": "Austen"}),
        ("/books?id=eq.1&select=edited_by(name)", {"name": "Borges"}),
        ("/books?id=eq.1&select=authors!editor_id(name)", {"name": "Borges"}),
        ("/novels?novel_id=eq.1&select=authors(name)", {"name": "Austen"}),
        ("/recent_novels?novel_id=eq.1&select=authors(id)", {"id": 1}),
        ("/writers?name=eq.Christie&select=novels(title)", [{"title": "Curtain"}]),
        ("/vaults?select=books(title)", {"title": "Ficciones"}),
        ("/books?id=eq.1&select=authors!written_by(*)", AUSTEN),
        ("/books?id=eq.1&select=authors!written_by(n:name,id::text)", {"n": "Austen", "id": "1"}),
    ],
)  # fmt: skip
async def test_every_kind_of_relationship_is_embedded(
    client: httpx.AsyncClient, url: str, expected: object
) -> None:
    (row,) = await rows(client, url)
    assert list(row.values())[-1] == expected


async def test_members_stand_in_the_order_of_the_selection(client: httpx.AsyncClient) -> None:
    (row,) = await rows(
        client, "/books?id=eq.1&select=by:authors!written_by(name,id),title,genres(id),*"
    )
    assert list(row)[:4] == ["by", "title", "genres", "id"]
    assert list(row["by"]) == ["name", "id"]


async def test_resources_are_embedded_four_deep(client: httpx.AsyncClient) -> None:
    (row,) = await rows(
        client, "/authors?id=eq.1&select=books!written_by(editions(copies(loans(day))))"
    )
    assert row["books"][0]["editions"][0]["copies"][0]["loans"][0] == {"day": "2025-03-01"}


@pytest.mark.parametrize(
    ("said", "titles"),
    [
        ("b.title=like.E*", ["Emma"]),
        ("books.title=like.E*", ["Emma"]),
        ("b.or=(id.eq.2,year.lt.1816)&b.not.and=(id.eq.1,year.eq.1815)", ["Persuasion"]),
        ("b.order=year.desc", ["Persuasion", "Emma"]),
        ("b.order=year.desc&b.limit=1", ["Persuasion"]),
        ("b.order=id&b.offset=1", ["Persuasion"]),
        ("b.limit=0", []),
        ("b.details->>pages=gt.2&b.order=details->pages", ["Persuasion", "Emma"]),
        ("b.words=fts(simple).woodhouse", ["Emma"]),
        ("b.full_title=eq.Emma (1815)", ["Emma"]),
        ("b.order=editions(id)&b.id=eq.7", None),
    ],
)
async def test_related_rows_are_filtered_ordered_and_paged(
    client: httpx.AsyncClient, said: str, titles: list[str] | None
) -> None:
    answer = await client.get(f"/authors?id=eq.1&select=b:books!written_by(title)&{said}")
    if titles is None:
        assert answer.json()["code"] == "PGRST108"
    else:
        assert [book["title"] for book in answer.json()[0]["b"]] == titles


async def test_nested_resources_are_filtered_by_their_path(client: httpx.AsyncClient) -> None:
    found = await rows(
        client,
        "/authors?select=id,b:books!written_by(id,g:genres(name))&id=in.(1,3)&order=id"
        "&b.g.name=eq.Crime&b.id=neq.2",
    )
    assert found == [
        {"id": 1, "b": [{"id": 1, "g": []}]},
        {"id": 3, "b": [{"id": 4, "g": [{"name": "Crime"}]}]},
    ]


async def test_one_table_may_be_embedded_twice(client: httpx.AsyncClient) -> None:
    (row,) = await rows(
        client,
        "/authors?id=eq.1&select=old:books!written_by(id),edited:books!edited_by(id)"
        "&old.year=lt.1816",
    )
    assert row == {"old": [{"id": 1}], "edited": [{"id": 5}]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select=id,genres!inner()", [1, 2, 4]),
        ("select=id,genres!inner(name)&genres.name=eq.Crime", [4]),
        ("select=id,genres!left(name)&genres.name=eq.Crime", [1, 2, 3, 4, 5]),
        ("select=id,authors!written_by!inner(name)&authors.name=like.A*", [1, 2]),
        ("select=id,authors!written_by!inner(biographies!inner())", [1, 2, 3]),
        ("select=id,authors!written_by(biographies!inner())", [1, 2, 3, 4, 5]),
        ("select=id,genres()&genres=is.null", [3, 5]),
        ("select=id,genres()&genres=not.is.null", [1, 2, 4]),
        ("select=id,genres()&genres=is.not_null", [1, 2, 4]),
        ("select=id,g:genres()&g=not.is.null", [1, 2, 4]),
        ("select=id,genres(),editions()&or=(genres.is.null,editions.not.is.null)", [1, 3, 5]),
        ("select=id,genres(),e:editions()&e.year=gt.1900&not.or=(genres.is.null,e.is.null)", []),
        ("select=id,...genres!inner(name)", [1, 2, 4]),
    ],
)  # fmt: skip
async def test_related_rows_decide_which_rows_there_are(
    client: httpx.AsyncClient, query: str, expected: list[int]
) -> None:
    headers = {"Prefer": "count=exact"}
    answer = await client.get(f"/books?{query}&order=id", headers=headers)
    assert [row["id"] for row in answer.json()] == expected
    total = answer.headers["Content-Range"].split("/")[1]
    assert total == str(len(expected))
    head = await client.head(f"/books?{query}", headers=headers)
    assert head.headers["Content-Range"] == answer.headers["Content-Range"]


async def test_rows_that_related_rows_decide_on_keep_the_order_of_their_key(
    client: httpx.AsyncClient,
) -> None:
    found = await rows(client, "/books?select=id,genres!inner()")
    assert [row["id"] for row in found] == [1, 2, 4]


async def test_what_is_embedded_without_members_is_not_shown(client: httpx.AsyncClient) -> None:
    assert await rows(client, "/books?id=eq.1&select=id,genres(),editions(copies())") == [{"id": 1}]
    assert await rows(client, "/books?id=eq.1&select=genres()") == [{}]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select=id,authors!written_by(name)&order=authors(name).desc,id.desc", [5, 4, 3, 2, 1]),
        ("select=id,a:authors!written_by()&order=a(name).nullsfirst,id", [5, 1, 2, 3, 4]),
        ("select=id,...authors!edited_by(name)&order=authors(name).desc.nullslast,id", LATE),
    ],
)  # fmt: skip
async def test_rows_are_ordered_by_their_one_related_row(
    client: httpx.AsyncClient, query: str, expected: list[int]
) -> None:
    assert [row["id"] for row in await rows(client, f"/books?{query}")] == expected


async def test_the_one_related_row_is_spread(client: httpx.AsyncClient) -> None:
    found = await rows(
        client,
        "/books?select=...authors!written_by(writer:name,...mentor(by:name)),id&id=gte.4&order=id",
    )
    assert found == [
        {"writer": "Christie", "by": "Austen", "id": 4},
        {"writer": None, "by": None, "id": 5},
    ]
    assert list(found[0]) == ["writer", "by", "id"]


async def test_several_related_rows_are_spread_into_arrays(client: httpx.AsyncClient) -> None:
    found = await rows(
        client,
        "/authors?select=id,...books!written_by(title,year,genres(id))&books.order=year.desc"
        "&order=id&id=in.(1,4)",
    )
    assert found == [
        {
            "id": 1,
            "title": ["Persuasion", "Emma"],
            "year": [1817, 1815],
            "genres": [[{"id": 1}], [{"id": 1}]],
        },
        {"id": 4, "title": [], "year": [], "genres": []},
    ]


async def test_a_member_may_be_spread_twice_under_one_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/books?id=eq.1&select=id,...authors!written_by(id,id)")
    assert answer.text == '[{"id":1,"id":1,"id":1}]'


async def test_nulls_are_stripped_within_related_rows(client: httpx.AsyncClient) -> None:
    answer = await client.get(
        "/books?id=eq.1&select=authors!written_by(*)",
        headers={"Accept": "application/vnd.pgrst.array+json;nulls=stripped"},
    )
    assert answer.json() == [{"authors": {"id": 1, "name": "Austen"}}]


@pytest.mark.parametrize(
    ("query", "books", "is_cut"),
    [
        ("id=eq.1&select=books!written_by(id)", [{"id": 1}], "true"),
        ("id=eq.1&select=books!written_by(id)&books.limit=9", [{"id": 1}], "true"),
        ("id=eq.1&select=books!written_by(id)&books.limit=1", [{"id": 1}], None),
        ("id=eq.1&select=...books!written_by(books:id)&books.limit=9", [1], "true"),
        ("id=eq.4&select=books!written_by(id)", [], None),
        ("id=eq.1&select=books!written_by(count())", [{"count": 2}], "true"),
        ("id=eq.4&select=books:name,books!written_by(id)", [], None),
    ],
)
async def test_an_array_of_related_rows_is_no_longer_than_an_answer(
    library: str, query: str, books: list[object], is_cut: str | None
) -> None:
    async with opened_shop(library, READER, Settings(max_rows=1)) as client:
        answer = await client.get(f"/authors?{query}")
    assert answer.json()[0]["books"] == books
    assert answer.headers.get("X-Result-Truncated") == is_cut


async def test_a_new_relationship_is_found_without_a_restart(own_library: str) -> None:
    async with opened_side(own_library) as side, side.client(READER) as client:
        assert (await client.get("/mentions?select=authors()")).json()["code"] == "PGRST200"
        connection = await asyncpg.connect(own_library)
        await connection.execute(
            "ALTER TABLE library.mentions ADD FOREIGN KEY (genre_id) REFERENCES library.authors"
        )
        await connection.close()
        side.now += 2
        assert await rows(client, "/mentions?select=authors()") == []


async def test_a_page_with_related_rows_says_whether_more_follow(library: str) -> None:
    async with opened_shop(library, READER, Settings(max_rows=2)) as client:
        cut = await client.get("/books?select=id,genres!inner()&order=id")
        whole = await client.get("/books?select=id,genres!inner()&order=id&offset=1")
    assert (len(cut.json()), cut.headers.get("X-Result-Truncated")) == (2, "true")
    assert (len(whole.json()), whole.headers.get("X-Result-Truncated")) == (2, None)


async def test_a_write_shows_what_is_related_to_its_rows(own_library: str) -> None:
    async with opened_shop(own_library, READER) as client:
        answer = await client.post(
            "/books?select=full_title,by:authors!written_by(name),genres(name)&by.name=neq.x",
            json=[
                {"id": 8, "title": "New", "author_id": 2},
                {"id": 9, "title": "Newer", "author_id": None},
            ],
            headers={"Prefer": "return=representation"},
        )
        minimal = await client.post(
            "/books?select=authors!written_by(name)&authors.name=eq.x",
            json={"id": 10, "title": "x"},
        )
    assert answer.json() == [
        {"full_title": "New (?)", "by": {"name": "Borges"}, "genres": []},
        {"full_title": "Newer (?)", "by": None, "genres": []},
    ]
    assert (minimal.status_code, minimal.content) == (201, b"")


async def test_a_visitor_reads_related_rows_and_no_aggregates(library: str) -> None:
    async with opened_shop(library, VISITOR, Settings(aggregates=False)) as client:
        assert (await client.get("/books?select=count()")).json()["code"] == "PGRST123"
        assert len(await rows(client, "/books?select=genres!inner(*)")) == 3


async def test_as_many_resources_as_are_allowed_are_answered(client: httpx.AsyncClient) -> None:
    wide = ",".join(f"x{number}:genres!inner(id)" for number in range(32))
    found = await rows(client, f"/books?select=id,{wide}&limit=1")
    assert len(found[0]) == 33
    spread = ",".join(f"...genres(a{number}:id)" for number in range(32))
    assert len((await rows(client, f"/books?select={spread}&limit=1"))[0]) == 32
    deep = "/books?select=genres!inner(books!inner(genres!inner(books!inner(*))))"
    assert len(await rows(client, deep)) == 3
