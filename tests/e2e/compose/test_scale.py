"""Two of each behind a proxy, under load, of which one is killed."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from e2e.compose.conftest import BOOKS, Running, prepared
from support.compose import DataApi, Stack, docker
from support.license_api import body

pytestmark = pytest.mark.timeout(300)

PORT, LICENSE_PORT = 18443, 18444
CLIENTS = 8
PAUSE_SECONDS = 0.3  # within the requests a second of one key
REQUESTS = 240


@pytest.fixture(scope="module")
def scaled() -> Iterator[Running]:
    settings = {
        "COMPOSE_PROFILES": "scale",
        "DB_API_PORT": "13011",
        "LICENSE_PORT": "13012",
        "LICENSE_CONSOLE_PORT": "13007",
        "PROXY_PORT": str(PORT),
        "LICENSE_PROXY_PORT": str(LICENSE_PORT),
    }
    with Stack("licensed-scale", **settings).up() as stack, DataApi(PORT) as api:
        running = prepared(stack, api)
        api.until(BOOKS, running.headers)  # each looks at the schema once a second at most
        yield running


async def kill_one(request: httpx.Request, running: Running, service: str) -> Counter[int]:
    """Kill a container while clients repeat a request; return how often each status came.

    What broke off counts as 0.
    """
    answers: Counter[int] = Counter()
    is_under_load = asyncio.Event()

    async def drive(client: httpx.AsyncClient) -> None:
        while answers.total() < REQUESTS:
            status = 0
            with suppress(httpx.TransportError):
                status = (await client.send(request)).status_code
            answers[status] += 1
            if answers.total() > REQUESTS // 3:
                is_under_load.set()
            await asyncio.sleep(PAUSE_SECONDS)

    async with httpx.AsyncClient(verify=running.api.tls, timeout=30) as client:
        clients = [asyncio.create_task(drive(client)) for _ in range(CLIENTS)]
        await is_under_load.wait()
        await asyncio.to_thread(docker, "kill", running.stack.container(service))
        await asyncio.gather(*clients)
    running.stack.compose("up", "--wait")
    return answers


def test_a_data_api_that_is_killed_takes_no_read_with_it(scaled: Running) -> None:
    request = httpx.Request("GET", f"{scaled.api.url}{BOOKS}", headers=scaled.headers)
    answers = asyncio.run(kill_one(request, scaled, "db-api"))

    # what it had begun to answer is all that may be lost
    assert answers[200] >= REQUESTS - CLIENTS, answers
    assert answers.keys() <= {200, 502, 0}


def test_a_license_server_that_is_killed_takes_no_validation_with_it(scaled: Running) -> None:
    asked = body(license_key=scaled.license["key"], email=scaled.license["email"])
    request = httpx.Request(
        "POST",
        f"https://localhost:{LICENSE_PORT}/v1/licenses/validate",
        content=asked,
        headers={"Content-Type": "application/json"},
    )
    answers = asyncio.run(kill_one(request, scaled, "license-server"))

    assert answers[200] >= REQUESTS - CLIENTS, answers
    assert answers.keys() <= {200, 502, 504, 0}


def test_both_refuse_a_key_within_5_seconds(scaled: Running) -> None:
    created = scaled.api.client.post(
        "/api/project/shop/keys",
        json={"keyName": "short", "keyType": "anon"},
        auth=scaled.api.auth,
    ).json()
    headers = {"apikey": created["key"]}
    assert [scaled.api.status(BOOKS, headers) for _ in range(6)] == [200] * 6

    path = f"/api/project/shop/keys/{created['id']}"
    scaled.api.client.delete(path, auth=scaled.api.auth).raise_for_status()
    time.sleep(5)
    assert [scaled.api.status(BOOKS, headers) for _ in range(6)] == [401] * 6


def test_wrong_emails_of_a_key_are_counted_by_both_together(scaled: Running) -> None:
    guess = body(license_key=scaled.license["key"], email="eve@example.com")
    url = f"https://localhost:{LICENSE_PORT}/v1/licenses/validate"
    with httpx.Client(
        verify=scaled.api.tls, headers={"Content-Type": "application/json"}
    ) as client:
        statuses = [client.post(url, content=guess).status_code for _ in range(14)]

    # ten in an hour, whichever server is asked
    assert statuses == [200] * 10 + [429] * 4
