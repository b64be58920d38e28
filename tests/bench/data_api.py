"""Reads of the data API: the same process answers one row by its key, and a hundred rows."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Final

import asyncpg

from bench.cpu import Target
from bench.load import request
from support.customer import Customer
from support.vendor import found_vendor

ROW_AT_MOST: Final = 8.0
HUNDRED_ROWS_AT_MOST: Final = 12.0
ROWS: Final = 10_000
_TABLE: Final = f"""
create schema shop;
create table shop.books (
    id int primary key, title text not null, author text, price numeric(8, 2), stock int,
    published date, added timestamptz default now());
insert into shop.books
    select n, 'Title ' || n, 'Author ' || n % 100, n / 100.0, n % 50, date '2000-01-01' + n % 9000
    from generate_series(1, {ROWS}) n;
analyze shop.books;
"""


@contextmanager
def reading(folder: Path, database_url: str) -> Iterator[list[Target]]:
    """Run a licensed data API over a table of ten thousand rows."""
    asyncio.run(_fill(database_url))
    vendor = found_vendor(folder)
    vendor.create_product()
    with vendor.serving() as license_server:
        customer = Customer(
            folder=folder / "license-data",
            server_url=license_server.url,
            ca=vendor.ca,
            trust=vendor.trust,
            sold=vendor.sell("ada@example.com"),
            database_url=database_url,
            extra={"KEY_REQUESTS_PER_SECOND": "1000000", "KEY_BURST": "1000000"},
        )
        customer.activate()
        if (done := customer.run("db-api", "migrate")).returncode:
            raise subprocess.CalledProcessError(done.returncode, "db-api migrate", done.stderr)
        with customer.serving() as api:
            headers = (("apikey", customer.create_key(api, "shop", "service_role")),)
            rows = [
                request("GET", f"/rest/v1/books?id=eq.{n}", headers=headers)
                for n in range(1, ROWS, 37)
            ]
            pages = [
                request("GET", f"/rest/v1/books?order=id&limit=100&offset={n}", headers=headers)
                for n in range(0, ROWS - 100, 370)
            ]
            yield [
                Target("data API, one row by key", api.pid, api.port, cycle(rows), ROW_AT_MOST),
                Target("data API, 100 rows", api.pid, api.port, cycle(pages), HUNDRED_ROWS_AT_MOST),
            ]


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLE)
    await connection.close()
