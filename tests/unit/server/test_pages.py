"""What pages are made of: fields and cookies, searches, lengths of time, charts, files."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.types import Message, Scope

from license_server import web
from license_server.console.charts import bars
from license_server.console.searching import Search, read_search
from license_server.errors import BodyTooLarge, InvalidField, UnsupportedMediaType
from license_server.spans import read_span, span_text
from license_server.web.kept import kept_form, target_of, to_keep
from license_server.web.rendering import ago, day, instant, number, sentence, span, ticked
from license_server.web.requests import MAX_FORM_BYTES, Fields, Request, read_request
from support.licensing import KEY

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
FORM = (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")


async def request(
    body: bytes = b"", query: bytes = b"", method: str = "POST", *headers: tuple[bytes, bytes]
) -> Request:
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": "/console/",
        "query_string": query,
        "headers": list(headers or (FORM,)),
        "client": None,
        "state": {"request_id": "r"},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return await read_request(scope, receive)


@pytest.mark.anyio
async def test_a_form_is_read_as_it_was_typed() -> None:
    form = (await request(b"a=+x+&b=1&b=2&c=%C3%A9&d=l1%0D%0Al2%0D%0A%0D%0A&e=")).form
    assert (form.get("a"), form.exactly("a")) == ("x", " x ")
    assert (form.all("b"), form.get("b"), form.get("c")) == (["1", "2"], "2", "é")
    assert (form.lines("d"), form.given("e"), form.has("e")) == (["l1", "l2"], None, True)
    assert "1" not in repr(form)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "header", "error"),
    [
        (b"a=%ff", FORM, InvalidField),
        (b"a=\xff", FORM, InvalidField),
        (b"a=%00", FORM, InvalidField),
        (b"&".join([b"a=1"] * 2_001), FORM, InvalidField),
        (b"a" * (MAX_FORM_BYTES + 1), FORM, BodyTooLarge),
        (b"{}", (b"content-type", b"application/json"), UnsupportedMediaType),
        (b"a=1", (b"content-type", b"multipart/form-data; boundary=x"), UnsupportedMediaType),
    ],
)
async def test_what_is_no_form_is_refused(
    body: bytes, header: tuple[bytes, bytes], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await request(body, b"", "POST", header)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        (b"__Host-console=a; other=b", {"__Host-console": "a", "other": "b"}),
        (b"", {}),
        (b"=;;;\x01", {}),
        (b"__Host-console", {}),
    ],
)
async def test_cookies_of_other_sites_do_no_harm(header: bytes, cookies: dict[str, str]) -> None:
    assert (await request(b"", b"", "GET", (b"cookie", header))).cookies == cookies


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("", Search()),
        (" ada@example.com ", Search(email="ada@example.com")),
        ("example.com", Search(domain="example.com")),
        ("@example.com", Search(domain="example.com")),
        ("lic_" + "0" * 26, Search(license_id="lic_" + "0" * 26)),
        ("7T3V", Search(key_hint="7T3V")),
        ("…7t3v", Search(key_hint="7t3v")),
        ("a.io", Search(domain="a.io")),
    ],
)
def test_a_search_is_understood(text: str, search: Search) -> None:
    assert read_search(text) == search


def test_of_a_whole_key_only_the_hint_is_searched_for() -> None:
    for text in (KEY.reveal("LIC"), KEY.reveal("LIC").lower(), KEY.symbols):
        assert read_search(text) == Search(key_hint=KEY.hint)


@pytest.mark.parametrize("text", ["90s", "30m", "6h", "14d", "0s"])
def test_lengths_are_written_as_they_are_read(text: str) -> None:
    assert span_text(read_span(text)) in {text, "0d"}


@pytest.mark.parametrize(
    "text", ["", "d", "14", "1.5d", "-1d", "14 d", "1w", "9999999d", "\u0661d"]
)
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_span(text)


def test_values_are_written_for_people() -> None:
    assert "1 Mar 2026, 12:30" in instant(NOW)
    assert 'datetime="2026-03-01T12:30:00Z"' in instant("2026-03-01T12:30:00Z")
    assert day("2026-03-01T12:30:00Z") == "1 Mar 2026"
    assert (day(None), instant(None)) == ("\N{EN DASH}", "\N{EN DASH}")
    assert "2 days ago" in ago(NOW - timedelta(days=2, hours=5), NOW)
    assert "in 1 hour" in ago(NOW + timedelta(hours=1), NOW)
    assert "just now" in ago(NOW, NOW)
    assert ago(None, NOW) == "never"
    assert (span(129_600), span(0), span(None)) == ("1 day 12 hours", "0 seconds", "without end")
    assert number(1_234_567) == "1,234,567"


def test_commands_in_a_text_are_set_apart_and_nothing_else_is_markup() -> None:
    assert ticked("run `a <b>` daily & now") == ("run <code>a &lt;b&gt;</code> daily &amp; now")
    assert (sentence("it ends"), sentence("")) == ("It ends", "")


def test_a_chart_says_its_numbers_and_is_no_markup_of_others() -> None:
    drawn = bars("a <b>", [("one", 0), ("<two>", 7)])
    assert "&lt;two&gt;: 7" in drawn
    assert "<b>" not in drawn
    assert "style=" not in drawn


def test_a_form_is_kept_without_secrets() -> None:
    form = Fields((("email", "a"), ("password", "b"), ("csrf", "c"), ("once", "d"), ("code", "e")))
    kept = to_keep(form)
    assert kept.pairs == (("kept.email", "a"),)
    assert kept_form(kept).pairs == (("email", "a"),)


@pytest.mark.parametrize(
    ("target", "is_ours"),
    [
        ("/console/licenses?a=b%20c", True),
        ("/console/", True),
        ("/consolex/", False),
        ("//console/", False),
        ("https://console/", False),
        ("/console/ /x", False),
        ("/console/\n", False),
        ("/docs", False),
    ],
)
def test_only_pages_of_the_site_are_gone_to(target: str, is_ours: bool) -> None:  # noqa: FBT001 - a case
    found = target_of(Fields((("next", target),)), "/console")
    assert (found == target) is is_ours
    assert found.startswith("/console/")


def test_the_script_of_others_is_the_one_that_was_looked_at() -> None:
    folder = Path(web.__file__).parent / "static"
    digest = hashlib.sha256((folder / "htmx.min.js").read_bytes()).hexdigest()
    assert f"SHA-256 of `htmx.min.js`: `{digest}`" in (folder / "README.md").read_text()
    assert "0BSD" in (folder / "README.md").read_text()
    assert (folder / "htmx.LICENSE").stat().st_size > 500
