"""Nobody learns from a server who its customers are, nor guesses a key."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from license_server import base64url
from license_server.license_keys import LicenseKey
from support.license_api import body
from support.postgres import SharedPostgres
from support.statement_log import StatementLog, watched
from support.vendor import PRODUCT, Sold, Vendor

KNOWN, TRYING, UNKNOWN = "ada@example.com", "eve@example.com", "bob@example.com"
OWN = {"x-request-id", "date"}  # headers that differ from answer to answer


@dataclass
class House:
    """A server process on PostgreSQL, and what it asks there.

    Attributes:
        http: asks the server, which leaves the worker's duties to others.
        log: its statements.
        sold: to `KNOWN`.
    """

    http: httpx.Client
    log: StatementLog
    sold: Sold
    _sources: int = 0

    def post(self, path: str, content: bytes, source: str = "") -> httpx.Response:
        """Ask from an address, by itself a new one each time."""
        self._sources += 1
        headers = {
            "Content-Type": "application/json",
            "X-Forwarded-For": source or f"192.0.2.{self._sources}",
        }
        return self.http.post(path, content=content, headers=headers)

    def asked(self, path: str, content: bytes) -> tuple[httpx.Response, list[str]]:
        """Ask, and return the answer and what that made the database do."""
        self.log.take()
        return self.post(path, content), self.log.take()


@pytest.fixture(scope="module")
def house(postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run the server, warm: what it prepares once per connection is prepared."""
    name = f"house_{secrets.token_hex(6)}"
    with watched(postgres.create(name)) as (url, log):
        settings = {"DATABASE_URL": url, "RUN_WORKER": "false", "TRUSTED_PROXIES": "127.0.0.1/32"}
        vendor = Vendor(tmp_path_factory.mktemp("house") / "vendor", None, settings)
        vendor.create_product()
        sold = vendor.sell(KNOWN)
        vendor.sell(TRYING, "--trial")
        with vendor.serving() as server, httpx.Client(base_url=f"{server.url}/v1/") as http:
            house = House(http, log, sold)
            for path in ("trials", "recovery"):
                house.post(path, asking("warm.up@example.com"))
            house.post("licenses/validate", body(license_key=sold.key, email=KNOWN))
            yield house
    postgres.drop(name)


def asking(email: str, product: str = PRODUCT) -> bytes:
    return json.dumps({"email": email, "product": product}).encode()


def shown(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """Return all of an answer but what names the request."""
    headers = {name: value for name, value in answer.headers.items() if name not in OWN}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("path", ["trials", "recovery"])
def test_whatever_the_address_the_answer_and_the_work_are_the_same(house: House, path: str) -> None:
    answers, works = [], []
    for email in (KNOWN, TRYING, UNKNOWN):
        answer, statements = house.asked(path, asking(email))
        answers.append(shown(answer))
        works.append(statements)
    assert answers == [answers[0]] * 3
    assert answers[0][0] == 202
    assert works == [works[0]] * 3
    assert any("INSERT INTO outbox" in statement for statement in works[0])


@pytest.mark.parametrize("path", ["trials", "recovery"])
def test_a_product_that_is_not_sold_is_nothing_to_tell_apart(house: House, path: str) -> None:
    email = f"{path}@example.com"
    asked = [house.asked(path, asking(email, name)) for name in (PRODUCT, "no-such-thing")]
    assert len({str(shown(answer)) for answer, _ in asked}) == 1
    assert asked[0][1] == asked[1][1]


def test_an_unknown_key_tells_nothing_of_its_email(house: House) -> None:
    key = LicenseKey.generate().reveal("LIC")
    asked = [
        house.asked("licenses/validate", body(license_key=key, email=email))
        for email in (KNOWN, UNKNOWN)
    ]
    (known, known_work), (unknown, unknown_work) = asked
    assert known_work == unknown_work
    assert len(known.content) == len(unknown.content)
    assert shown(known)[:2] == shown(unknown)[:2]
    assert plain(known) == plain(unknown)
    assert known.json()["code"] == "LICENSE_NOT_FOUND"
    assert claims(known) == claims(unknown)


def plain(answer: httpx.Response) -> dict[str, object]:
    members = {"decision", "server_time"}
    return {name: value for name, value in answer.json().items() if name not in members}


def claims(answer: httpx.Response) -> dict[str, object]:
    """Return what a decision says, but what each computes of its own request and time."""
    decoded = base64url.decode(answer.json()["decision"].split(".")[1])
    computed = {"jti", "iat", "ref", "req", "own"}
    return {name: value for name, value in json.loads(decoded).items() if name not in computed}


def test_of_a_thousand_guessed_keys_few_reach_the_database(house: House) -> None:
    source, statuses, begun = "198.51.100.7", Counter[int](), time.monotonic()
    house.log.take()
    for _ in range(1_000):
        guess = body(license_key=LicenseKey.generate().reveal("LIC"), email=KNOWN)
        answer = house.post("licenses/validate", guess, source)
        statuses[answer.status_code] += 1
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert answer.json()["code"] == "RATE_LIMITED"
    minutes = int((time.monotonic() - begun) // 60) + 1  # a slow machine may see another window

    lookups = [one for one in house.log.take() if "license_keys" in one]
    assert statuses.keys() == {200, 429}
    assert len(lookups) == statuses[200] <= 60 * minutes

    # past the limit the right key is no way to tell either, and others are served
    right = body(license_key=house.sold.key, email=KNOWN)
    if minutes == 1:
        assert house.post("licenses/validate", right, source).status_code == 429
    assert house.post("licenses/validate", right).json()["code"] == "VALID"


def test_a_mistyped_key_never_reaches_the_database(house: House) -> None:
    key = house.sold.key
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    answer, statements = house.asked("licenses/validate", body(license_key=wrong, email=KNOWN))
    assert (answer.status_code, answer.json()["code"]) == (422, "KEY_MALFORMED")
    assert statements == []
