"""Rows of any number that come in, to a real process over a real socket."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from support.licensed import LicensedMachine
from support.management import PASSWORD, USER, execute, service_environment
from support.servers import BIN, RunningServer, running

ROWS = 200_000
PATIENCE_SECONDS = 30
TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.many (n int PRIMARY KEY, word text, note text DEFAULT 'none');
CREATE VIEW shop.named AS SELECT n, word FROM shop.many;
CREATE TABLE shop.guarded (n int);
ALTER TABLE shop.guarded ENABLE ROW LEVEL SECURITY;
"""
CSV = {"Content-Type": "text/csv"}
NDJSON = {"Content-Type": "application/x-ndjson"}


class Served:
    """A running service, and its database."""

    def __init__(self, server: RunningServer, database_url: str) -> None:
        self.server = server
        self.database_url = database_url
        self.keys = {kind: self._key(kind) for kind in ("service_role", "anon")}

    def _key(self, kind: str) -> str:
        answer = httpx.post(
            f"{self.server.url}/api/project/shop/keys",
            json={"keyName": kind, "keyType": kind},
            auth=(USER, PASSWORD),
        )
        return str(answer.raise_for_status().json()["key"])

    def post(
        self,
        path: str,
        content: bytes | Iterator[bytes],
        kind: str = "service_role",
        **headers: str,
    ) -> httpx.Response:
        """Post lines."""
        return httpx.post(
            f"{self.server.url}/rest/v1/{path}",
            content=content,
            headers={"apikey": self.keys[kind], **headers},
            timeout=60,
        )

    def query(self, sql: str) -> Any:
        """Ask the database itself for one value."""

        async def ask() -> Any:
            connection = await asyncpg.connect(self.database_url)
            try:
                return await connection.fetchval(sql)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def count(self) -> int:
        """Return how many rows there are."""
        return int(self.query("SELECT count(*) FROM shop.many"))

    def until(self, sql: str) -> None:
        """Wait until the database finds something true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.query(sql):
            assert time.monotonic() < deadline, sql


@pytest.fixture
def served(database_url: str, machine: LicensedMachine) -> Iterator[Served]:
    asyncio.run(execute(database_url, TABLES))
    environment = service_environment(
        database_url, machine, POOL_SIZE="2", MAX_BODY_BYTES="65536", MAX_LOAD_BYTES=str(2**25)
    )
    with running(BIN / "db-api", "serve", env=environment) as server:
        yield Served(server, database_url)


def csv_of(numbers: range) -> Iterator[bytes]:
    yield b"word,n\n"
    for n in numbers:
        yield f'"word ""{n}""\nof, many",{n}\n'.encode()


def ndjson_of(numbers: range) -> Iterator[bytes]:
    for n in numbers:
        yield json.dumps({"n": n, "word": f"{n}" * 8}).encode() + b"\n"


def test_rows_of_any_number_come_in_with_constant_memory(served: Served) -> None:
    served.post("many", b"".join(csv_of(range(2000))), **CSV)
    before = peak_kib(served.server.pid)
    csv = served.post("many", csv_of(range(2000, ROWS)), **CSV, Prefer="count=exact")
    ndjson = served.post("many", ndjson_of(range(ROWS, 2 * ROWS)), **NDJSON)

    assert (csv.status_code, csv.headers["Content-Range"]) == (201, f"*/{ROWS - 2000}")
    assert (ndjson.status_code, ndjson.content) == (201, b"")
    assert served.count() == 2 * ROWS
    assert served.query("SELECT word FROM shop.many WHERE n = 150000") == 'word "150000"\nof, many'
    assert served.query("SELECT count(*) FROM shop.many WHERE note = 'none'") == 2 * ROWS
    assert peak_kib(served.server.pid) - before < 32 * 1024


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (b'{"n": "x", "word": "y"}', "22P02"),
        (b'{"n": 1, "word": "y"}', "23505"),
        (b'{"n": 9, "other": "y"}', "PGRST102"),
        (b"[1]", "PGRST102"),
        (b'{"n": 90000, "word": "' + b"x" * 70_000, "DBAPI432"),
    ],
)
def test_one_bad_row_at_the_end_keeps_none(served: Served, lines: bytes, code: str) -> None:
    body = b"".join(ndjson_of(range(20_000))) + lines
    answer = served.post("many", body, **NDJSON)

    assert answer.json()["code"] == code
    assert answer.json()["message"].startswith("in the rows after ")
    assert served.count() == 0


def test_an_upsert_counts_what_is_new(served: Served) -> None:
    served.post("many", ndjson_of(range(5000)), **NDJSON)
    merge = {"Prefer": "resolution=merge-duplicates,count=exact"}
    some = served.post("many", ndjson_of(range(4000, 9000)), **NDJSON, **merge)
    none = served.post("many", ndjson_of(range(9000)), **NDJSON, **merge)
    skip = served.post(
        "many", csv_of(range(12_000)), **CSV, Prefer="resolution=ignore-duplicates,count=exact"
    )

    assert [answer.status_code for answer in (some, none, skip)] == [201, 200, 201]
    assert skip.headers["Content-Range"] == "*/3000"
    assert served.count() == 12_000


def test_columns_defaults_and_views_are_as_for_other_inserts(served: Served) -> None:
    lines = b'{"n": 1, "word": "a", "x": 1}\n{"n": 2}\n'
    named = served.post("named?columns=n,word", lines, **NDJSON)
    filled = served.post(
        "many?columns=n,note",
        b'{"n": 3}\n{"n": 4, "note": null}',
        **NDJSON,
        Prefer="missing=default",
    )

    assert (named.status_code, filled.status_code) == (201, 201)
    assert served.query(
        "SELECT string_agg(coalesce(note, '-'), ',' ORDER BY n) FROM shop.many"
    ) == ("none,none,none,-")


def test_nobody_comes_in_who_may_not(served: Served) -> None:
    anon = served.post("many", csv_of(range(10)), "anon", **CSV)
    unknown = served.post("many", b"n,nothing\n1,2\n", **CSV)
    missing = served.post("nowhere", csv_of(range(10)), **CSV)

    assert [answer.json()["code"] for answer in (anon, unknown, missing)] == [
        "25006",
        "PGRST204",
        "PGRST205",
    ]
    assert served.count() == 0


def test_a_table_made_just_now_takes_rows(served: Served) -> None:
    served.query("CREATE TABLE shop.fresh (n int, word text)")
    deadline = time.monotonic() + PATIENCE_SECONDS  # at most one look at the schema a second
    while served.post("fresh", ndjson_of(range(20_000)), **NDJSON).status_code != 201:
        assert time.monotonic() < deadline
    assert served.query("SELECT count(*) FROM shop.fresh") == 20_000


def test_each_kind_of_body_has_its_limit(served: Served) -> None:
    over = served.post("many", b"n\n" + b"1\n" * 2**24, **CSV)
    shown = served.post("many", ndjson_of(range(5000)), **NDJSON, Prefer="return=representation")
    json_ = served.post("many", b" " * 70_000, **{"Content-Type": "application/json"})

    assert [answer.status_code for answer in (over, shown, json_)] == [413, 413, 413]
    assert "return=minimal" in shown.json()["hint"]
    assert served.count() == 0


def test_a_body_that_outgrows_its_limit_on_the_way_keeps_nothing(served: Served) -> None:
    long = b"x" * 60_000
    rows = (b"n,word\n" if n < 0 else b"%d,%b\n" % (n, long) for n in range(-1, 1000))
    answer = served.post("many", rows, **CSV)

    assert (answer.status_code, answer.json()["code"]) == (413, "DBAPI302")
    assert served.count() == 0


def test_a_client_that_leaves_keeps_nothing_and_frees_its_backend(served: Served) -> None:
    for _ in range(3):  # more often than there are connections
        with closing(beginning(served)) as client:
            client.sendall(chunk(b"".join(ndjson_of(range(20_000)))))
            served.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE state LIKE 'idle in t%'")
        served.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE state LIKE 'idle in t%'")
    assert served.count() == 0
    assert served.post("many", ndjson_of(range(10)), **NDJSON).status_code == 201


def test_a_slow_client_is_waited_for_while_rows_come(served: Served) -> None:
    with closing(beginning(served)) as client:
        client.sendall(chunk(b"".join(ndjson_of(range(3000)))))
        client.sendall(chunk(b'{"n": 3000, "word": "a"}\n{"n": 3001,'))
        # the row that is whole is inserted, though more may follow at any time
        served.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE state LIKE 'idle in t%'")
        client.sendall(chunk(b' "word": "b"}') + b"0\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 201")
    assert served.count() == 3002


def test_rows_that_stop_coming_are_not_waited_for(served: Served) -> None:
    with closing(beginning(served)) as client:
        client.sendall(chunk(b"".join(ndjson_of(range(20_000))) + b'{"n":'))
        client.settimeout(PATIENCE_SECONDS)
        answer = b""
        while b"DBAPI433" not in answer and (part := client.recv(65536)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"DBAPI433" in answer
    assert served.count() == 0


def beginning(served: Served) -> socket.socket:
    """Begin to post lines of JSON, in chunks."""
    client = socket.create_connection(("127.0.0.1", served.server.port))
    client.sendall(
        b"POST /rest/v1/many HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/x-ndjson\r\napikey: "
        + served.keys["service_role"].encode()
        + b"\r\n\r\n"
    )
    return client


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def peak_kib(pid: int) -> int:
    """Read the most memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
