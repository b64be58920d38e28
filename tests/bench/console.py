"""How long lists and searches of the vendor's people take among 100,000 licenses on PostgreSQL.

Times are those of a client on loopback that asks one thing after the other, over TLS: the server's
time, and a little more. The API is asked what the console's pages ask it, then the pages.
"""

import asyncio
import re
import ssl
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import asyncpg
import httpx

from bench.license_server import imported
from support.vendor import Sold, Vendor, found_vendor

LICENSES: Final = 100_000
AT_MOST_MS: Final = 100
ROUNDS: Final = 40
WARM_UP_ROUNDS: Final = 5
_LICENSES: Final = "/v1/admin/licenses"
_PAGE: Final = "50"
_LARGEST_PAGE: Final = 500
_SUSPENDED: Final = 20
_DOMAINS: Final = 20_000
_BIG_DOMAIN: Final = "big.example"  # of every tenth license
_SEARCHED: Final = ("email", "domain", "key_hint")  # the console has one field for all
_FORM_TOKEN: Final = re.compile(r'name="csrf" value="([^"]+)"')

Members = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody looks for.

    Attributes:
        name: in the figures.
        members: of the query of the API's list, for the how manieth time it is asked.
        is_found: there is such a license.
    """

    name: str
    members: Callable[[int], Members]
    is_found: bool = True


@dataclass(frozen=True, slots=True)
class Side:
    """Who answers.

    Attributes:
        name: in the figures.
        address: of the list that such members ask for, or of the license of the member `id`.
    """

    name: str
    address: Callable[[Members], str]


def measure(folder: Path, database_url: str) -> Iterator[str]:
    """Import, ask, and tell the median and the 95th percentile of each question."""
    vendor = found_vendor(folder, DATABASE_URL=database_url, REQUESTS_PER_MINUTE="1000000000")
    vendor.create_product()
    sold = list(imported(vendor.import_buyers(map(_buyer, range(LICENSES)))))
    with _signed_in(vendor) as client:
        for suspended in sold[:: LICENSES // _SUSPENDED]:
            client.post(f"{_LICENSES}/{suspended.license_id}/suspend").raise_for_status()
        asyncio.run(_analyze(database_url))
        questions = _questions(sold, _middle(client))
        _require_answers(client, questions)
        for name, taken in _times(client, questions).items():
            yield _figure(name, taken)


def _questions(sold: Sequence[Sold], middle: str) -> Sequence[Question]:
    def one(number: int) -> Sold:
        return sold[number * 1_999 % len(sold)]

    return (
        Question("newest", lambda _: {"order": "newest"}),
        Question("those that end first", lambda _: {"order": "ends_first"}),
        Question("in the middle", lambda _: {"order": "newest", "cursor": middle}),
        Question("by email", lambda n: {"order": "newest", "email": one(n).email}),
        Question(
            "by domain, of few", lambda n: {"order": "newest", "domain": f"firm{2 * n + 1}.example"}
        ),
        Question("by domain, of many", lambda _: {"order": "newest", "domain": _BIG_DOMAIN}),
        Question("by key hint", lambda n: {"order": "newest", "key_hint": one(n).key[-4:]}),
        Question("by id", lambda n: {"id": one(n).license_id}),
        Question("by status, of most", lambda _: {"order": "newest", "status": "active"}),
        Question("by status, of few", lambda _: {"order": "newest", "status": "suspended"}),
        Question(
            "by status, of none",
            lambda _: {"order": "newest", "status": "revoked"},
            is_found=False,
        ),
    )


def _require_answers(client: httpx.Client, questions: Sequence[Question]) -> None:
    """Do nothing if the questions find what they are about: nothing is found quickly."""
    for question in questions:
        found = client.get(_api_address(question.members(0))).raise_for_status().json()
        if bool(found.get("items", [found])) is not question.is_found:
            raise RuntimeError(f"{question.name}: this is not what there is")


def _times(client: httpx.Client, questions: Sequence[Question]) -> Mapping[str, Sequence[float]]:
    """Ask in turn, so that what disturbs the machine disturbs each; the times in milliseconds."""
    asked = [(side, question) for side in _SIDES for question in questions]
    times: dict[str, list[float]] = {_name(*one): [] for one in asked}
    for number in range(WARM_UP_ROUNDS + ROUNDS):
        for side, question in asked:
            address = side.address(question.members(number))
            started = time.perf_counter()
            answer = client.get(address)
            taken = time.perf_counter() - started
            if answer.status_code != httpx.codes.OK:
                raise RuntimeError(f"{address} was answered with {answer.status_code}")
            if number >= WARM_UP_ROUNDS:
                times[_name(side, question)].append(taken * 1000)
    return times


def _name(side: Side, question: Question) -> str:
    return f"{side.name}, {question.name}"


def _figure(name: str, taken: Sequence[float]) -> str:
    median, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    return f"{name:<28} median {median:6.1f} ms   p95 {p95:6.1f} ms   aim <= {AT_MOST_MS} ms"


def _api_address(members: Members) -> str:
    if "id" in members:
        return f"{_LICENSES}/{members['id']}"
    return f"{_LICENSES}?{urlencode({'limit': _PAGE, **members})}"


def _page_address(members: Members) -> str:
    if "id" in members:
        return f"/console/licenses/{members['id']}"
    shown = {"search" if name in _SEARCHED else name: value for name, value in members.items()}
    return f"/console/licenses?{urlencode(shown)}"


_SIDES: Final = (Side("API", _api_address), Side("page", _page_address))


def _buyer(number: int) -> Mapping[str, object]:
    """Return one of many buyers: most licenses end one day, and some domains have more."""
    domain = f"firm{number % _DOMAINS}.example" if number % 10 else _BIG_DOMAIN
    ending = {"lasts_seconds": (1 + number % 700) * 86_400} if number % 3 else {}
    return {"email": f"buyer{number}@{domain}", **ending}


async def _analyze(database_url: str) -> None:
    """Do what autovacuum does a minute later."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


def _middle(client: httpx.Client) -> str:
    """Return the cursor of the middle of the list, which nothing but the pages before it tells."""
    cursor: Members = {}
    for _ in range(LICENSES // 2 // _LARGEST_PAGE):
        query = {"order": "newest", "limit": str(_LARGEST_PAGE), **cursor}
        answer = client.get(_LICENSES, params=query).raise_for_status()
        cursor = {"cursor": answer.json()["next_cursor"]}
    return str(cursor["cursor"])


@contextmanager
def _signed_in(vendor: Vendor) -> Iterator[httpx.Client]:
    """Serve; yield a client that shows a token to the API, and a cookie to the console."""
    token = vendor.create_token()["token"]
    trust = ssl.create_default_context(cafile=vendor.ca)
    with vendor.serving() as server:
        url = server.wait_for_event("server.listening", listener="admin")["url"]
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, verify=trust, headers=headers) as client:
            sent_back = _FORM_TOKEN.findall(client.get("/console/sign-in").text)[0]
            signed_in = client.post("/console/sign-in", data={"csrf": sent_back, "token": token})
            if not signed_in.is_redirect:
                raise RuntimeError(f"signing in was answered with {signed_in.status_code}")
            yield client
