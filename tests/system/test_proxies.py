"""The services behind nginx and Caddy, set up by the files of `deploy/`."""

import asyncio
import re
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import pytest

from db_api.control.migrations import migrate
from support.customer import Customer
from support.licensed import LicensedMachine, simulator_of_today
from support.management import PASSWORD, USER, execute, service_environment
from support.postgres import SharedPostgres
from support.proxies import NAMES, PROGRAMS, Proxy, proxying
from support.servers import BIN, RunningServer, running
from support.tls import TlsFiles, issue_certificate
from support.tls_scan import require_modern, scan
from support.vendor import Vendor

ONE, OTHER = "127.0.0.2", "127.0.0.3"
"""Addresses of clients; the proxy comes from 127.0.0.1."""

TRUSTED = {"TRUSTED_PROXIES": "127.0.0.1"}
HSTS = ["max-age=31536000; includeSubDomains"]
FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Request-Id": "forged",
    "Forwarded": "for=203.0.113.9;proto=https",
    "X-Real-IP": "203.0.113.9",
}
TABLE = (
    "CREATE TABLE public.items AS SELECT n AS id, 'a&b/c %' AS name FROM generate_series(1, 3) n"
)
NOBODY = 9  # the port of a service that is not there
BIG_BYTES = 3 * 1024 * 1024

pytestmark = pytest.mark.timeout(240)  # several processes a test


@dataclass(frozen=True, slots=True)
class Proxied:
    """A service, the proxy in front of it, and a way to be its client.

    Attributes:
        server: the service.
        proxy: in front of it.
        tls: the proxy's certificate.
    """

    server: RunningServer
    proxy: Proxy
    tls: TlsFiles

    def client(self, address: str = ONE, url: str = "") -> httpx.Client:
        """Make a client at an address, by HTTPS unless another URL is given."""
        transport = httpx.HTTPTransport(
            verify=self.tls.client_context(), local_address=address, http2=False
        )
        return httpx.Client(base_url=url or self.proxy.https, transport=transport)


@pytest.fixture(scope="module", params=sorted(PROGRAMS))
def program(request: pytest.FixtureRequest) -> str:
    """Take each of the proxies."""
    return str(request.param)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """Make the proxies' certificate."""
    return issue_certificate(tmp_path_factory.mktemp("proxies"), "localhost")


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    """Found a vendor whose server speaks plain HTTP on loopback."""
    vendor = Vendor(tmp_path_factory.mktemp("v") / "vendor", None, TRUSTED)
    vendor.create_product()
    return vendor


@pytest.fixture(scope="module")
def licensing(vendor: Vendor, program: str, tls: TlsFiles) -> Iterator[Proxied]:
    """Run a license server behind a proxy."""
    with (
        vendor.serving(PUBLIC_URL="https://localhost") as server,
        proxying(program, "license-server", server.port, tls) as proxy,
    ):
        yield Proxied(server, proxy, tls)


@pytest.fixture(scope="module")
def environment(
    postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Set up a data API with a table and a license."""
    machine = LicensedMachine(tmp_path_factory.mktemp("license"), simulator_of_today())
    machine.learn()
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = postgres.create(
        name, postgres.template("data_api_control", lambda url: asyncio.run(migrate(url)))
    )
    asyncio.run(execute(url, TABLE))
    yield service_environment(url, machine, **TRUSTED)
    postgres.drop(name)


@pytest.fixture(scope="module")
def data(environment: dict[str, str], program: str, tls: TlsFiles) -> Iterator[Proxied]:
    """Run a data API behind a proxy."""
    with (
        running(BIN / "db-api", "serve", env=environment) as server,
        proxying(program, "db-api", server.port, tls) as proxy,
    ):
        yield Proxied(server, proxy, tls)


@pytest.fixture(params=["licensing", "data"])
def either(request: pytest.FixtureRequest, licensing: Proxied, data: Proxied) -> Proxied:
    """Take each of the services."""
    return licensing if request.param == "licensing" else data


@pytest.fixture
def key(data: Proxied) -> str:
    """Make a key of the data API."""
    return new_key(data)["key"]


def new_key(data: Proxied) -> dict[str, str]:
    with data.client() as client:
        body = {"keyName": uuid.uuid4().hex, "keyType": "service_role"}
        answer = client.post("/api/project/public/keys", json=body, auth=(USER, PASSWORD))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_program_of_the_api_is_refused_in_the_clear_and_not_redirected(either: Proxied) -> None:
    paths = ("/api/tables", "/rest/v1/items", "/v1/licenses/activate", "/v1/keyset", "/", "/docs/x")
    with either.client(url=either.proxy.http) as client:
        for path in paths:
            for method in ("GET", "POST"):
                answer = client.request(method, path, headers=FORGED)
                assert answer.status_code == 403
                assert answer.headers["content-type"].startswith("application/")
                assert "https" in answer.text.lower()
                assert "location" not in answer.headers
                assert "strict-transport-security" not in answer.headers


def test_a_page_in_the_clear_is_redirected(either: Proxied) -> None:
    with either.client(url=either.proxy.http) as client:
        answer = client.get("/docs?x=1", headers={"Host": "evil.example"} | FORGED)
        if answer.status_code != 308:  # Caddy serves no name but its own
            answer = client.get("/docs?x=1", headers=FORGED)
    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/docs?x=1")


def test_a_customer_in_the_clear_is_redirected_and_found_by_its_cookie(licensing: Proxied) -> None:
    with licensing.client(url=licensing.proxy.http) as client:
        answer = client.get("/portal/licenses", headers=FORGED)
    moved = (answer.status_code, answer.headers["location"])
    assert moved == (308, "https://localhost/portal/licenses")
    with licensing.client() as client:
        page = client.get("/portal/")
        assert "__Host-portal-visitor" in client.cookies
        token = re.search(r'name="csrf" value="(\w+)"', page.text)
        assert token is not None
        form = {"csrf": token[1], "email": "ada@example.com"}
        assert "Look into your mail" in client.post("/portal/sign-in", data=form).text


def test_a_key_that_came_in_the_clear_is_told_of(data: Proxied) -> None:
    made = new_key(data)
    with data.client(url=data.proxy.http) as client:
        refused = client.get("/rest/v1/items", headers={"apikey": made["key"]} | FORGED)
    assert (refused.status_code, refused.json()["code"]) == (403, "DBAPI210")
    data.server.wait_for_event("credential.exposed", key_prefix=made["keyPrefix"])


def test_every_answer_by_https_says_once_that_it_stays_so(either: Proxied) -> None:
    with either.client() as client:
        for path in ("/docs", "/nothing-there", "/livez", "/api/health"):
            assert client.get(path).headers.get_list("strict-transport-security") == HSTS


def test_the_proxy_says_so_too_when_the_service_is_gone(program: str, tls: TlsFiles) -> None:
    for service in NAMES:
        with (
            proxying(program, service, NOBODY, tls) as proxy,
            httpx.Client(verify=tls.client_context()) as client,
        ):
            answer = client.get(f"{proxy.https}/v1/keyset")
        assert answer.status_code == 502
        assert answer.headers.get_list("strict-transport-security") == HSTS


def test_a_client_cannot_forge_its_address_nor_its_request_id(either: Proxied) -> None:
    path = f"/nothing-{secrets.token_hex(4)}"  # more digits would look like a key
    with either.client() as client:
        answer = client.get(path, headers=FORGED)
    logged = either.server.wait_for_event("http.access", path=path)
    assert logged["client"] == ONE
    assert answer.headers["x-request-id"] == logged["request_id"] != "forged"


def test_who_passes_the_proxy_by_is_not_believed(either: Proxied) -> None:
    path = f"/nothing-{secrets.token_hex(4)}"  # more digits would look like a key
    with either.client(OTHER, either.server.url) as client:
        answer = client.get(path, headers=FORGED)
    assert either.server.wait_for_event("http.access", path=path)["client"] == OTHER
    assert "strict-transport-security" not in answer.headers


def test_requests_are_limited_by_the_address_of_the_client(
    vendor: Vendor, program: str, tls: TlsFiles, tmp_path: Path
) -> None:
    limit = 5
    copy = vendor.copied_to(tmp_path / "copy")
    forged = ({**FORGED, "X-Forwarded-For": f"203.0.113.{n}"} for n in count(1))
    with (
        copy.serving(REQUESTS_PER_MINUTE=str(limit)) as server,
        proxying(program, "license-server", server.port, tls) as proxy,
        Proxied(server, proxy, tls).client(ONE) as one,
        Proxied(server, proxy, tls).client(OTHER) as other,
    ):
        while one.post("/v1/licenses/validate", headers=next(forged)).status_code != 429:
            assert len(server.events("http.access")) <= limit * 3
        assert other.post("/v1/licenses/validate", headers=next(forged)).status_code != 429


def test_failed_logins_lock_the_address_of_the_client_out(
    environment: dict[str, str], program: str, tls: TlsFiles
) -> None:
    settings = {**environment, "FAILED_LOGINS_PER_MINUTE": "2"}
    with (
        running(BIN / "db-api", "serve", env=settings) as server,
        proxying(program, "db-api", server.port, tls) as proxy,
        Proxied(server, proxy, tls).client(ONE) as one,
        Proxied(server, proxy, tls).client(OTHER) as other,
    ):
        for n in range(3):
            forged = {**FORGED, "X-Forwarded-For": f"203.0.113.{n}"}
            one.get("/api/schemas", auth=(USER, "wrong"), headers=forged)
        locked = one.get("/api/schemas", auth=(USER, PASSWORD), headers=FORGED)
        free = other.get("/api/schemas", auth=(USER, PASSWORD))
        assert server.wait_for_event("auth.lockout")["address"] == ONE
    assert (locked.status_code, free.status_code) == (429, 200)


def test_a_license_is_activated_through_the_proxy(
    vendor: Vendor, licensing: Proxied, tmp_path: Path
) -> None:
    sold = vendor.sell("ada@example.com")
    customer = Customer(tmp_path, licensing.proxy.https, licensing.tls.ca, vendor.trust, sold)
    customer.activate()
    assert customer.status()["state"] == "ACTIVE"


def test_a_query_arrives_as_it_was_written(data: Proxied, key: str) -> None:
    names = ",".join(['"a&b/c %"', *(f"x{n}" for n in range(1200))])
    query = {"name": f"in.({names})", "order": "id", "select": "id"}
    with data.client() as client:
        answer = client.get("/rest/v1/items", params=query, headers={"apikey": key})
    assert answer.json() == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_many_rows_go_in_and_come_out(data: Proxied, key: str) -> None:
    rows = "id,name\n" + "".join(f"{n},{'x' * 1000}\n" for n in range(10, BIG_BYTES // 1000 + 10))
    loaded = {"apikey": key, "Content-Type": "text/csv"}
    with data.client() as client:
        answer = client.post("/rest/v1/items", content=rows, headers=loaded)
        assert answer.status_code == 201, answer.text
        query = {"name": "like.xxx*", "order": "id"}
        wanted = {"apikey": key, "Accept": "text/csv"}
        assert client.get("/rest/v1/items", params=query, headers=wanted).text == rows.strip()
        client.delete("/rest/v1/items", params={"id": "gte.10"}, headers={"apikey": key})


def test_the_proxy_speaks_no_tls_that_has_been_broken(either: Proxied) -> None:
    require_modern(scan(int(either.proxy.https.rpartition(":")[2])))
