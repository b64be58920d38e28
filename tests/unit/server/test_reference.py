"""What both APIs tell of themselves: the document for programs, and its page for people."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from license_server.api.openapi import described, document
from license_server.api.table import ENDPOINTS
from license_server.reference.serving import Reference, Source, contract
from support.license_api import LicenseApi

pytestmark = pytest.mark.anyio

WIRE = Path(__file__).parents[3] / "license_server" / "wire"
Json = dict[str, Any]


class Html(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, attribute: str) -> set[str]:
        return {value for _, found in self.elements if (value := found.get(attribute))}


async def nothing(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError(scope["path"])


async def page_of(source: Source) -> str:
    transport = httpx.ASGITransport(Reference(source, nothing))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        return (await client.get("/docs")).text


def admin() -> Source:
    return Source(lambda: json.dumps(document(described(ENDPOINTS))).encode())


SOURCES = {"public": contract, "admin": admin}
sources = pytest.mark.parametrize("name", SOURCES)


async def test_the_contract_is_answered_as_it_was_published() -> None:
    answer = await LicenseApi().request("GET", "/openapi.json")

    assert answer.content == (WIRE / "openapi.json").read_bytes()
    assert answer.headers["content-type"] == "application/json"
    names = set(re.findall(r'"\$ref": "(schemas/[^"#]+)"', answer.text))
    assert names
    for name in names:
        schema = await LicenseApi().request("GET", f"/{name}")
        assert schema.content == (WIRE / name).read_bytes()
    assert (await LicenseApi().request("GET", "/schemas/nothing.json")).status_code == 404


def test_the_contract_names_every_schema_that_is_answered() -> None:
    [parameter] = json.loads(contract().read())["paths"]["/schemas/{name}"]["get"]["parameters"]
    assert parameter["schema"]["enum"] == sorted(contract().schemas)


async def test_a_page_loads_one_stylesheet_and_nothing_else() -> None:
    answer = await LicenseApi().request("GET", "/docs")
    page = Html(answer.text)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert {"script", "style", "img", "iframe"}.isdisjoint(tag for tag, _ in page.elements)
    assert page.all("style") == set()
    [style] = [found["href"] for tag, found in page.elements if tag == "link"]
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["default-src 'none'", "style-src 'self'"]
    css = await LicenseApi().request("GET", str(style))
    assert css.headers["content-type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in css.text
    assert "url(" not in css.text
    assert "@import" not in css.text


async def test_a_reference_is_only_read() -> None:
    refused = await LicenseApi().request("POST", "/docs")

    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert (await LicenseApi().request("HEAD", "/docs")).status_code == 200


@sources
async def test_a_page_tells_all_of_every_operation(name: str) -> None:
    source = SOURCES[name]()
    text = await page_of(source)
    told: Json = json.loads(source.read())
    for path, item in told["paths"].items():
        for method in item.keys() & {"get", "post", "patch", "delete"}:
            operation = item[method]
            article = Html(_part(text, operation["operationId"]))
            words = " ".join(article.words)
            expected = [path, method.upper(), operation["summary"], *operation["responses"]]
            expected += [one["name"] for one in operation.get("parameters", ())]
            expected += operation.get("requestBody", {}).get("content", ())
            if name == "admin":
                expected.append(operation["description"])  # the roles
            assert [one for one in expected if one not in words] == []


@sources
async def test_every_link_of_a_page_leads_to_a_place_on_it(name: str) -> None:
    page = Html(await page_of(SOURCES[name]()))

    targets = {link for link in page.all("href") if not link.startswith("/")}
    assert targets <= {f"#{place}" for place in page.all("id")}
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))


async def test_every_member_of_a_schema_is_on_the_page() -> None:
    text = await page_of(contract())
    for file, schema in contract().schemas.items():
        words = Html(_part(text, f"schema-{file.removesuffix('.json')}")).words
        assert set(json.loads(schema)["properties"]) <= set(words), file


async def test_text_of_a_document_never_becomes_markup() -> None:
    evil = "<script>alert(1)</script>"
    told = json.loads(contract().read())
    told["info"]["title"] = evil
    told["paths"]["/livez"]["get"]["summary"] = evil
    text = await page_of(Source(lambda: json.dumps(told).encode(), contract().schemas))

    assert "<script" not in text
    assert evil in Html(text).words


def _part(text: str, place: str) -> str:
    """Return the article of a page that has this id."""
    found = re.search(rf'<article id="{re.escape(place)}">.*?</article>', text, re.DOTALL)
    assert found, place
    return found.group()
