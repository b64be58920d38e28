"""The counters in PostgreSQL, by the clock of the database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import asyncpg
import pytest

from integration.server.conftest import TEMPLATE, migrate
from license_server.errors import NotReady, RateLimited
from license_server.ports import EMAIL_MISMATCHES, Tally
from license_server.repository.database import Database
from license_server.repository.rate_counters import PostgresCounters, postgres_counters
from support.licensing import a_limiter
from support.postgres import SharedPostgres

pytestmark = pytest.mark.anyio

HOUR_SECONDS = 3_600


@pytest.fixture
def url(new_database: Callable[..., str], postgres: SharedPostgres) -> str:
    return new_database(template=postgres.template(TEMPLATE, migrate))


@pytest.fixture
async def counters(url: str, anyio_backend: str) -> AsyncIterator[PostgresCounters]:
    assert anyio_backend == "asyncio"
    async with postgres_counters(Database.from_url(url)) as opened:
        yield opened


async def change(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_of_many_events_at_once_in_two_servers_10_pass(url: str) -> None:
    passed = 0

    async def guess(counters: PostgresCounters) -> None:
        nonlocal passed
        with suppress(RateLimited):
            await a_limiter(counters).hit(EMAIL_MISMATCHES, "key")
            passed += 1

    database = Database.from_url(url)
    async with postgres_counters(database) as one, postgres_counters(database) as two:
        await asyncio.gather(*(guess(counters) for counters in (one, two) * 30))

    assert passed == 10


async def test_looking_counts_nothing_and_begins_nothing(counters: PostgresCounters) -> None:
    assert await counters.add("a", HOUR_SECONDS, 0) == Tally(0, HOUR_SECONDS)
    assert (await counters.add("a", HOUR_SECONDS, 3)).count == 3
    assert (await counters.add("a", HOUR_SECONDS, 0)).count == 3
    assert (await counters.add("b", HOUR_SECONDS, 0)).count == 0


@pytest.mark.parametrize("shift", [-HOUR_SECONDS, 2 * HOUR_SECONDS])
async def test_a_window_is_over_at_its_end_or_if_it_ends_too_late_to_be_true(
    counters: PostgresCounters, url: str, shift: int
) -> None:
    await counters.add("a", HOUR_SECONDS, 10)
    await change(url, f"UPDATE rate_counters SET ends_at = ends_at + {shift}")

    assert (await counters.add("a", HOUR_SECONDS, 0)).count == 0
    assert await counters.add("a", HOUR_SECONDS, 2) == Tally(2, HOUR_SECONDS)


async def test_a_database_that_is_down_or_has_no_table_is_not_ready(
    counters: PostgresCounters, url: str
) -> None:
    await change(url, "DROP TABLE rate_counters")
    with pytest.raises(NotReady):
        await counters.add("a", HOUR_SECONDS, 1)
    async with postgres_counters(Database.from_url(f"{url}&port=1")) as absent:
        with pytest.raises(NotReady):
            await absent.add("a", HOUR_SECONDS, 1)
