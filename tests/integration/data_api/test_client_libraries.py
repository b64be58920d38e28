"""The ecosystem's Python clients, unmodified, against the running service."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from postgrest import APIError, AsyncPostgrestClient, CountMethod, ReturnMethod, SyncPostgrestClient
from supabase import ClientOptions, create_client

from support.postgres import SharedPostgres
from support.studio import Studio, serving_studio

# supabase-py itself gives its own library what that one no longer wants
pytestmark = pytest.mark.filterwarnings(
    "ignore:The '(timeout|verify)' parameter:DeprecationWarning"
)

Client = Any  # each library's own type; what they have in common is the fluent builder


@pytest.fixture(scope="module")
def studio(postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with serving_studio(postgres, tmp_path_factory.mktemp("license")) as serving:
        yield serving


Make = Callable[[Studio, str], Client]


def postgrest_py(studio: Studio, key: str, http: httpx.Client) -> Client:
    return SyncPostgrestClient(studio.rest, headers={"apikey": key}, http_client=http)


def supabase_py(studio: Studio, key: str, http: httpx.Client) -> Client:
    return create_client(studio.server.url, key, ClientOptions(httpx_client=http))


@pytest.fixture(params=[postgrest_py, supabase_py])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    with ExitStack() as stack:

        def connected(studio: Studio, key: str) -> Client:
            return request.param(studio, key, stack.enter_context(httpx.Client()))

        yield connected


@pytest.fixture
def client(studio: Studio, make: Make) -> Client:
    return make(studio, studio.service_key)


@pytest.fixture
def anon(studio: Studio, make: Make) -> Client:
    return make(studio, studio.anon_key)


def ids(query: Any) -> list[int]:
    return [row["id"] for row in query.order("id").execute().data]


def films(client: Client) -> Any:
    return client.table("films").select("id")


FILTERS: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
    "eq": (lambda query: query.eq("title", 'Lost, "found"'), [5]),
    "neq": (lambda query: query.neq("year", 1927), [2, 3, 4, 5]),
    "gt": (lambda query: query.gt("year", 1962), [4, 5]),
    "gte": (lambda query: query.gte("year", 1962), [3, 4, 5]),
    "lt": (lambda query: query.lt("rating", 7.8), [4]),
    "lte": (lambda query: query.lte("rating", 7.8), [3, 4]),
    "like": (lambda query: query.like("title", "%o%"), [1, 3, 4, 5]),
    "ilike": (lambda query: query.ilike("title", "m%"), [1, 2]),
    "like all": (lambda query: query.like_all_of("title", "%e%,%o%"), [1, 3]),
    "like any": (lambda query: query.like_any_of("title", "M,V%"), [2, 4]),
    "ilike all": (lambda query: query.ilike_all_of("title", "m%,%s"), [1]),
    "ilike any": (lambda query: query.ilike_any_of("title", "vag%,lost%"), [4, 5]),
    "is null": (lambda query: query.is_("rating", "null"), [5]),
    "is None": (lambda query: query.is_("rating", None), [5]),
    "is true": (lambda query: query.is_("is_color", "true"), [4, 5]),
    "in": (lambda query: query.in_("title", ["M", 'Lost, "found"', "(x)"]), [2, 5]),
    "contains": (lambda query: query.contains("tags", ["city", "silent"]), [1]),
    "contained by": (lambda query: query.contained_by("tags", ["city", "road"]), [3, 4, 5]),
    "contains JSON": (lambda query: query.contains("details", {"reels": 5}), [4]),
    "overlaps": (lambda query: query.ov("tags", ["road", "sound"]), [2, 4]),
    "range gt": (lambda query: query.range_gt("shown", [1930, 1935]), [3, 4]),
    "range gte": (lambda query: query.range_gte("shown", [1930, 1935]), [2, 3, 4]),
    "range lt": (lambda query: query.range_lt("shown", [1931, 1935]), [1]),
    "range lte": (lambda query: query.range_lte("shown", [1927, 1934]), [1, 2]),
    "range adjacent": (lambda query: query.range_adjacent("shown", [1929, 1931]), [1, 2]),
    "fts": (lambda query: query.fts("plot", "city & machines"), [1]),
    "plfts": (lambda query: query.plfts("plot", "wanderer found"), [4]),
    "phfts": (lambda query: query.phfts("plot", "waits and walks"), [3]),
    "wfts": (lambda query: query.wfts("plot", "city -machines"), [2]),
    "or": (lambda query: query.or_("year.eq.1927,and(year.gt.1980,rating.is.null)"), [1, 5]),
    "not": (lambda query: query.not_.eq("director_id", 1), [3, 4]),
    "match": (lambda query: query.match({"year": 1931, "director_id": 1}), [2]),
    "filter": (lambda query: query.filter("details->>reels", "eq", "11"), [2]),
    "JSON path": (lambda query: query.eq("details->sets->>lift", "true"), [1]),
    "twice": (lambda query: query.gt("year", 1927).lt("year", 1985), [2, 3]),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters(client: Client, name: str) -> None:
    narrow, expected = FILTERS[name]

    assert ids(narrow(films(client))) == expected


def test_select_renames_casts_and_reads_json(client: Client) -> None:
    query = client.table("films").select("name:title", "year::text", "details->reels")

    assert query.eq("id", 1).execute().data == [{"name": "Metropolis", "year": "1927", "reels": 9}]


def test_order_limit_and_range(client: Client) -> None:
    query = client.table("films").select("id").order("rating", desc=True, nullsfirst=True)

    assert [row["id"] for row in query.order("id").range(1, 3).execute().data] == [1, 2, 3]
    assert ids(films(client).limit(2)) == [1, 2]


def test_counts(client: Client) -> None:
    everything = client.table("films").select("*", count=CountMethod.exact).limit(2).execute()
    only_counted = client.table("films").select("*", count=CountMethod.exact, head=True).execute()
    planned = client.table("films").select("*", count=CountMethod.planned).execute()

    assert (len(everything.data), everything.count) == (2, 5)
    assert (only_counted.data, only_counted.count) == ([], 5)
    assert planned.count == 5


def test_single_rows(client: Client) -> None:
    assert client.table("films").select("id").eq("id", 3).single().execute().data == {"id": 3}
    assert films(client).eq("id", 99).maybe_single().execute() is None
    with pytest.raises(APIError) as refusal:
        films(client).single().execute()
    assert (refusal.value.code, refusal.value.details) == (
        "PGRST116",
        "The result contains 5 rows",
    )


def test_csv(client: Client) -> None:
    answer = client.table("films").select("id", "title").eq("id", 5).csv().execute()

    assert answer.data == 'id,title\n5,"Lost, ""found"""'


def test_embedding(client: Client) -> None:
    query = client.table("directors").select("name,films(title,castings(part,actors(name)))")
    row = query.eq("films.year", 1927).eq("id", 1).single().execute().data

    assert row == {
        "name": "Lang",
        "films": [
            {"title": "Metropolis", "castings": [{"part": "Maria", "actors": {"name": "Helm"}}]}
        ],
    }


def test_embedding_across_a_junction_inner_and_ordered(client: Client) -> None:
    query = client.table("films").select("id,actors!inner(name)").order("id")

    assert query.eq("actors.name", "Lorre").execute().data == [
        {"id": 2, "actors": [{"name": "Lorre"}]}
    ]
    ordered = client.table("directors").select("films(id)").eq("id", 2)
    ordered = ordered.order("year", desc=True, foreign_table="films")
    assert ordered.limit(1, foreign_table="films").execute().data == [{"films": [{"id": 4}]}]


def test_insert_update_and_delete(client: Client) -> None:
    created = client.table("notes").insert({"id": 10, "text": "ten"}).execute().data
    changed = client.table("notes").update({"text": "x"}).eq("id", 10).execute().data
    gone = client.table("notes").delete(count=CountMethod.exact).eq("id", 10).execute()

    assert created == [{"id": 10, "text": "ten", "stars": 3}]
    assert changed == [{"id": 10, "text": "x", "stars": 3}]
    assert (gone.data, gone.count) == ([{"id": 10, "text": "x", "stars": 3}], 1)


def test_bulk_insert_and_defaults(client: Client) -> None:
    rows: list[dict[str, Any]] = [{"id": 20, "text": "a", "stars": 5}, {"id": 21, "text": "b"}]
    created = client.table("notes").insert(rows, default_to_null=False).execute().data
    silent = client.table("notes").insert({"id": 22}, returning=ReturnMethod.minimal).execute()
    client.table("notes").delete().gte("id", 20).lt("id", 30).execute()

    assert [row["stars"] for row in created] == [5, 3]
    assert silent.data == []


def test_upsert(client: Client) -> None:
    first = client.table("notes").upsert({"id": 30, "text": "a"}).execute().data
    merged = client.table("notes").upsert([{"id": 30, "text": "b"}]).execute().data
    ignored = client.table("notes").upsert({"id": 30, "text": "c"}, ignore_duplicates=True)
    by_name = client.table("directors").upsert({"name": "Lang", "born": None}, on_conflict="name")

    assert (first[0]["text"], merged[0]["text"], ignored.execute().data) == ("a", "b", [])
    assert by_name.execute().data[0]["id"] == 1
    client.table("directors").update({"born": "1890-12-05"}).eq("id", 1).execute()
    client.table("notes").delete().eq("id", 30).execute()


def test_a_write_that_would_touch_too_much_changes_nothing(client: Client) -> None:
    with pytest.raises(APIError) as refusal:
        client.table("films").update({"plot": None}).gt("id", 0).max_affected(2).execute()

    assert refusal.value.code == "PGRST124"
    assert ids(films(client).not_.is_("plot", "null")) == [1, 2, 3, 4]


def test_functions(client: Client) -> None:
    since = client.rpc("films_since", {"since": 1962})

    assert client.rpc("add", {"a": 1, "b": 2}).execute().data == 3
    assert client.rpc("add", {"a": 1}, get=True).execute().data == 2
    assert [row["id"] for row in since.select("id").order("id").limit(2).execute().data] == [3, 4]
    assert client.rpc("remember", {"text": "hello"}).execute().data == []
    assert client.table("notes").delete().eq("id", 100).execute().data[0]["text"] == "hello"


def test_errors_arrive_as_the_library_knows_them(client: Client) -> None:
    cases: dict[str, Any] = {
        "PGRST205": client.table("nowhere").select("*"),
        "42703": client.table("films").select("nothing"),
        "23505": client.table("notes").insert({"id": 1}),
        "23514": client.table("notes").insert({"id": 40, "stars": 9}),
        "22P02": client.table("films").select("*").eq("year", "soon"),
        "PGRST202": client.rpc("nothing", {}),
        "PT418": client.rpc("fail", {}),
    }
    for code, query in cases.items():
        with pytest.raises(APIError) as refusal:
            query.execute()
        assert refusal.value.code == code
        assert refusal.value.message


def test_anon_reads_and_does_not_write(anon: Client) -> None:
    assert ids(films(anon)) == [1, 2, 3, 4, 5]
    for write in (
        anon.table("notes").insert({"id": 50}),
        anon.table("notes").update({"text": "x"}).eq("id", 1),
        anon.table("notes").delete().eq("id", 1),
    ):
        with pytest.raises(APIError):
            write.execute()
    assert anon.table("notes").select("id,text").eq("id", 1).execute().data == [
        {"id": 1, "text": "first"}
    ]


def test_the_schema_may_be_named_and_no_other(client: Client) -> None:
    assert len(client.schema("studio").from_("films").select("id").execute().data) == 5
    with pytest.raises(APIError) as refusal:
        client.schema("pg_catalog").from_("pg_authid").select("*").execute()
    assert refusal.value.code == "PGRST106"


def test_a_wrong_key_is_an_error_of_the_library(studio: Studio, make: Make) -> None:
    with pytest.raises(APIError) as refusal:
        films(make(studio, "0" * 64)).execute()

    assert refusal.value.code == "DBAPI101"


@pytest.mark.anyio
async def test_the_asynchronous_client(studio: Studio) -> None:
    async with AsyncPostgrestClient(
        studio.rest, headers={"Authorization": f"Bearer {studio.service_key}"}
    ) as client:
        answer = await client.from_("films").select("id").eq("id", 1).execute()

    assert answer.data == [{"id": 1}]
