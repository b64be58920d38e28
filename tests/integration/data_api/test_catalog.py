"""The schema cache, read from a real PostgreSQL."""

import asyncio

import asyncpg
import pytest

from db_api.catalog import Table
from support.shop import LONG_NAME, opened_side

pytestmark = pytest.mark.anyio


async def tables_of(url: str) -> dict[str, Table]:
    async with opened_side(url) as side:
        return {table.name: table for table in await side.catalog.tables("shop")}


async def test_tables_and_views_of_a_schema_are_listed_by_name(shared_shop: str) -> None:
    tables = await tables_of(shared_shop)
    assert list(tables) == sorted(tables)
    assert {"products", "cheap", LONG_NAME, 'odd "name; --'} <= tables.keys()
    assert "secrets" not in tables
    assert (tables["products"].kind, tables["cheap"].kind) == ("table", "view")


async def test_a_system_schema_has_no_tables(shared_shop: str) -> None:
    async with opened_side(shared_shop) as side:
        for schema in ("pg_catalog", "information_schema", "pg_toast", "nosuch"):
            assert await side.catalog.tables(schema) == ()


async def test_a_table_is_described_as_declared(shared_shop: str) -> None:
    products = (await tables_of(shared_shop))["products"]
    columns = products.columns
    assert products.sql_name == '"shop"."products"'
    assert products.comment == "What is sold."
    assert products.row_estimate == 4
    assert products.primary_key == ("id",)
    assert list(columns)[:3] == ["id", "name", "price"]
    assert columns["name"].comment == "As on the label."
    assert (columns["name"].nullable, columns["price"].nullable) == (False, True)
    assert columns["stock"].default == "7"
    assert columns["id"].default == "nextval('shop.products_id_seq')"
    assert (columns["doubled"].is_generated, columns["doubled"].default) == (True, None)
    assert "lower(name)" in products.indexes[0].definition


@pytest.mark.parametrize(
    ("column", "type_", "declared"),
    [
        ("price", "numeric", "shop.price"),
        ("code", "bpchar", "character(3)"),
        ("mood", "shop.mood", "shop.mood"),
        ("tags", "text[]", "text[]"),
        ("seen", "timestamp with time zone", "timestamp with time zone"),
    ],
)
async def test_a_value_is_cast_without_length_and_to_a_domains_base(
    shared_shop: str, column: str, type_: str, declared: str
) -> None:
    found = (await tables_of(shared_shop))["products"].columns[column]
    assert (found.type, found.declared_type) == (type_, declared)


async def test_keys_name_their_columns_in_order(shared_shop: str) -> None:
    tables = await tables_of(shared_shop)
    assert tables["pairs"].primary_key == ("b", "a")
    assert [unique.columns for unique in tables["pairs"].uniques] == [("a",)]
    (key,) = tables["tags"].foreign_keys
    assert (key.columns, key.referenced_table, key.referenced_columns) == (
        ("product",),
        "products",
        ("id",),
    )


async def test_a_domain_may_make_a_column_not_null(shared_shop: str) -> None:
    assert not (await tables_of(shared_shop))["contacts"].columns["email"].nullable


async def test_a_miss_reloads_at_most_once_a_second(shop: str) -> None:
    async with opened_side(shop) as side:
        before, _ = await side.catalog.find("shop", "numbers")
        side.now += 0.9
        within, _ = await side.catalog.find("shop", "nosuch")
        side.now += 0.2
        after, _ = await side.catalog.find("shop", "nosuch")
    assert within is before
    assert after is not before


async def test_misses_at_the_same_time_share_one_reload(shop: str) -> None:
    async with opened_side(shop) as side:
        await side.catalog.snapshot()
        side.now += 1
        found = await asyncio.gather(*[side.catalog.find("shop", "nosuch") for _ in range(9)])
    assert len({id(snapshot) for snapshot, _ in found}) == 1


async def test_a_reload_shows_what_was_committed_before_it(shop: str) -> None:
    async with opened_side(shop) as side:
        await side.catalog.snapshot()
        connection = await asyncpg.connect(shop)
        await connection.execute("CREATE TABLE shop.fresh (id int)")
        await connection.close()
        assert (await side.catalog.reload()).table("shop", "fresh") is not None
