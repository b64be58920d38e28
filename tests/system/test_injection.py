"""sqlmap on everything that a request says: it finds nothing here, and a planted hole elsewhere."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator

import asyncpg
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from support.postgres import SharedPostgres
from support.studio import Studio, serving_studio
from support.tcp_forwarder import free_port

FOUND = "sqlmap identified the following injection point"
UNHARMED = "does not seem to be injectable"
CLEAN = "all tested parameters do not appear to be injectable"

pytestmark = pytest.mark.timeout(300)


def sqlmap(url: str, *options: str) -> str:
    """Attack every marked place (`*`) of a request, and return what is said of it."""
    program = shutil.which("sqlmap")
    assert program, "tests/system/install brings sqlmap"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *(program, "-u", url, "--batch", "--ignore-stdin", "--disable-coloring"),
                *("--dbms=postgresql", "--level=2", "--technique=BEUS", "--threads=4"),
                f"--output-dir={folder}",
                *options,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
    return done.stdout + done.stderr


def require_clean(said: str, *marked: str) -> None:
    """Make sure that every marked place was attacked, and that nothing was found in any."""
    assert said.count(UNHARMED) >= sum(text.count("*") for text in marked), said
    assert CLEAN in said, said
    assert FOUND not in said, said


@pytest.fixture(scope="module")
def studio(postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("license")
    with serving_studio(postgres, folder, KEY_REQUESTS_PER_SECOND="100000") as serving:
        yield serving


@contextlib.contextmanager
def leaky_server(database_url: str) -> Iterator[str]:
    """Serve a search that pastes its parameter into SQL: the hole that must be found."""

    async def search(request: Request) -> Response:
        name = request.query_params.get("name", "")
        connection = await asyncpg.connect(database_url)
        try:
            query = f"SELECT name FROM studio.actors WHERE name = '{name}'"
            rows = await connection.fetch(query)
        except asyncpg.PostgresError as error:
            return PlainTextResponse(str(error), 500)
        finally:
            await connection.close()
        return PlainTextResponse("\n".join(row["name"] for row in rows))

    port = free_port()
    app = Starlette(routes=[Route("/search", search)])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/search"
    finally:
        server.should_exit = True
        thread.join()


def test_the_tool_finds_a_planted_hole(studio: Studio) -> None:
    with leaky_server(studio.database_url) as url:
        assert FOUND in sqlmap(f"{url}?name=Helm*")


REQUESTS = {
    "values": "films?title=eq.M*&year=gt.1900*&id=in.(1,2*)&limit=2*&offset=0*",
    "names": "films?select=id*&order=year*&or=(id.eq.1*,year.is.null*)&details->>reels*=eq.9",
    "path": "films*",
    "embedding": "films?select=id,directors*(name*)&directors.name*=eq.Lang*",
    "function": "rpc/add?a=1*&b=2*",
    "function name": "rpc/add*?a=1",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_it_finds_nothing_in_reads(studio: Studio, name: str) -> None:
    said = sqlmap(f"{studio.rest}/{REQUESTS[name]}", "-H", f"apikey: {studio.service_key}")

    require_clean(said, REQUESTS[name])


WRITES = {
    "insert": ("POST", "notes?columns=id*,text*", '{"id": 70, "text": "a*"}'),
    "upsert": ("POST", "notes?on_conflict=id*", '{"id": 1, "text*": "a"}'),
    "update": ("PATCH", "notes?id=eq.1*&select=id*", '{"text": "a*"}'),
    "delete": ("DELETE", "notes?id=eq.999*&text=eq.a*", ""),
    "function": ("POST", "rpc/add", '{"a": "1*", "b*": 2}'),
}


@pytest.mark.parametrize("name", WRITES)
def test_it_finds_nothing_in_writes(studio: Studio, name: str) -> None:
    method, path, body = WRITES[name]
    headers = {
        "apikey": studio.service_key,
        "Content-Type": "application/json",
        "Prefer": "resolution=merge-duplicates" if name == "upsert" else "",
    }
    options = [part for header in headers.items() for part in ("-H", ": ".join(header))]
    if body:
        options += ["--data", body]
    said = sqlmap(f"{studio.rest}/{path}", "--method", method, *options)

    require_clean(said, path, body)


def test_it_finds_nothing_in_headers(studio: Studio) -> None:
    headers = {
        "apikey": studio.service_key,
        "Prefer": "count=exact*",
        "Accept-Profile": "studio*",
        "Range": "0-1*",
        "Accept": "application/json*",
        "X-Request-Id": "a*",
    }
    options = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    said = sqlmap(f"{studio.rest}/films", *options)

    require_clean(said, *headers.values())
