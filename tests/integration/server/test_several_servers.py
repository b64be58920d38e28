"""Several `license-server serve` processes on one PostgreSQL: they count abuse together."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import cycle, islice

import asyncpg
import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from support.license_requests import admin_url, ask, guess
from support.postgres import SharedPostgres
from support.servers import RunningServer
from support.vendor import Vendor

pytestmark = pytest.mark.timeout(300)  # it starts many processes, on machines that are busy

REQUESTS_PER_MINUTE = 200
STEP = REQUESTS_PER_MINUTE // 20


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory, postgres: SharedPostgres) -> Iterator[Vendor]:
    """Found a vendor on PostgreSQL, whose servers count together."""
    name = f"several_{uuid.uuid4().hex[:12]}"
    settings = {
        "DATABASE_URL": postgres.create(name),
        "RATE_LIMIT_STORAGE_URI": "database://",
        "REQUESTS_PER_MINUTE": str(REQUESTS_PER_MINUTE),
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    vendor = Vendor(tmp_path_factory.mktemp("several") / "vendor", None, settings)
    vendor.create_product()
    yield vendor
    postgres.drop(name)


@pytest.fixture(scope="module")
def servers(vendor: Vendor) -> Iterator[Sequence[RunningServer]]:
    """Run two servers."""
    with vendor.serving() as one, vendor.serving() as two:
        yield one, two


@contextmanager
def locked_counters(database_url: str) -> Iterator[None]:
    """Keep everybody from the table of counters."""

    @asynccontextmanager
    async def lock() -> AsyncIterator[None]:
        connection = await asyncpg.connect(database_url)
        async with connection.transaction():
            await connection.execute("LOCK TABLE rate_counters IN ACCESS EXCLUSIVE MODE")
            yield
        await connection.close()

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(lock()):
        yield


def test_the_11th_wrong_email_is_refused_whichever_server_is_asked(
    vendor: Vendor, servers: Sequence[RunningServer]
) -> None:
    sold = vendor.sell("ada@example.com")
    assert ask(servers[0], sold).json()["code"] == "VALID"

    first_ten = [guess(server, sold) for server in islice(cycle(servers), 10)]
    next_two = [guess(server, sold) for server in servers]

    assert first_ten == [200] * 10
    assert next_two == [429] * 2
    for server in servers:
        refused = ask(server, sold, instance_id="stranger")
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 3_600
        assert ask(server, sold).json()["code"] == "VALID"


def test_refused_admin_tokens_are_counted_together(servers: Sequence[RunningServer]) -> None:
    headers = {"Authorization": "Bearer lsk_wrong", "X-Forwarded-For": "192.0.2.11"}

    def knock(server: RunningServer) -> int:
        return httpx.get(f"{admin_url(server)}/v1/admin/licenses", headers=headers).status_code

    first_ten = [knock(server) for server in islice(cycle(servers), 10)]

    assert first_ten == [401] * 10
    assert [knock(server) for server in servers] == [429] * 2


def test_a_source_that_one_server_sends_away_is_soon_sent_away_by_the_other(
    servers: Sequence[RunningServer],
) -> None:
    headers = {"Content-Type": "application/json", "X-Forwarded-For": "192.0.2.12"}

    def answered(server: RunningServer) -> int:
        """Ask until refused; return how often it was answered before."""
        with httpx.Client(headers=headers) as client:
            url = f"{server.url}/v1/licenses/validate"
            for count in range(2 * REQUESTS_PER_MINUTE):
                if client.post(url, content=b"{}").status_code == 429:
                    return count
        raise AssertionError("it was never refused")

    # an exchange that is slower than the next requests forgets less than a step of them
    assert 0 <= answered(servers[0]) - REQUESTS_PER_MINUTE < STEP
    assert answered(servers[1]) < REQUESTS_PER_MINUTE / 2


def test_counters_that_do_not_answer_stop_nobody_and_each_server_limits_alone(
    vendor: Vendor,
) -> None:
    sold = vendor.sell("cid@example.com")
    token = vendor.create_token()["token"]
    with vendor.serving(RUN_WORKER="false") as server:
        assert ask(server, sold).json()["code"] == "VALID"
        with locked_counters(vendor.settings["DATABASE_URL"]):
            guesses = [guess(server, sold) for _ in range(11)]
            known = ask(server, sold).json()["code"]
            metrics = httpx.get(
                f"{admin_url(server)}/metrics", headers={"Authorization": f"Bearer {token}"}
            )
            status = server.stop()

    assert guesses == [200] * 10 + [429]
    assert known == "VALID"
    assert status == 0
    assert len(server.events("ratelimit.storage_unreachable")) == 1
    failures = re.search(r"rate_limit_storage_failures_total (\d+)", metrics.text)
    assert failures is not None
    assert int(failures[1]) >= 1


def test_ended_counters_are_removed_by_a_worker(vendor: Vendor) -> None:
    asyncio.run(see_old_counters_go(vendor))


async def see_old_counters_go(vendor: Vendor) -> None:
    connection = await asyncpg.connect(vendor.settings["DATABASE_URL"])
    await connection.execute(
        """INSERT INTO rate_counters VALUES
            ('old', 1, extract(epoch FROM now()) - 3700), ('new', 1, extract(epoch FROM now()));
        DELETE FROM schedules WHERE name = 'erase-old-content'"""
    )
    with vendor.serving():
        while (left := await names_in(connection)) == ["new", "old"]:
            pass
    await connection.close()
    assert left == ["new"]


async def names_in(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    rows = await connection.fetch(
        "SELECT key FROM rate_counters WHERE key IN ('old', 'new') ORDER BY key"
    )
    return [row["key"] for row in rows]
