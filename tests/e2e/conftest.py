"""The three programs as processes of their own, over TLS, with a real PostgreSQL."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from support.customer import Customer
from support.servers import RunningServer
from support.vendor import Vendor, found_vendor

OWNER = "ada@example.com"
TABLE = """
create schema shop;
create table shop.books (id int primary key, title text not null);
insert into shop.books values (1, 'The Mill on the Floss'), (2, 'Middlemarch');
"""


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    """Found a vendor with one product of the usual policy."""
    vendor = found_vendor(tmp_path_factory.mktemp("vendor") / "v")
    vendor.create_product()
    return vendor


@pytest.fixture(scope="module")
def license_server(vendor: Vendor) -> Iterator[RunningServer]:
    """Run the vendor's license server."""
    with vendor.serving() as server:
        yield server


@pytest.fixture
def database(new_database: Callable[..., str]) -> str:
    """Make a customer's database, with a schema and a table."""
    url = new_database()

    async def fill() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(TABLE)
        await connection.close()

    asyncio.run(fill())
    return url


@pytest.fixture
def new_customer(database: str, tmp_path: Path) -> Callable[[Vendor, str], Customer]:
    """Make a customer of a vendor, with a license of its own, ready to serve."""

    def make(vendor: Vendor, server_url: str) -> Customer:
        customer = Customer(
            folder=tmp_path / "license-data",
            server_url=server_url,
            ca=vendor.ca,
            trust=vendor.trust,
            sold=vendor.sell(OWNER),
            database_url=database,
        )
        migrated = customer.run("db-api", "migrate")
        assert migrated.returncode == 0, migrated.stderr
        return customer

    return make


@pytest.fixture
def customer(
    new_customer: Callable[[Vendor, str], Customer], vendor: Vendor, license_server: RunningServer
) -> Customer:
    """Make a customer whose license is activated."""
    customer = new_customer(vendor, license_server.url)
    customer.activate()
    return customer
