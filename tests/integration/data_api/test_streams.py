"""Answers of any length, from a real process over a real socket."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from support.licensed import LicensedMachine
from support.management import PASSWORD, USER, execute, service_environment
from support.servers import BIN, RunningServer, running

ROWS = 400_000
PATIENCE_SECONDS = 30
COPIES = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'"
TABLES = f"""
CREATE SCHEMA shop;
CREATE VIEW shop.many AS SELECT n, repeat('x', 60) AS filling FROM generate_series(1, {ROWS}) n;
CREATE FUNCTION shop.fragile(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF n = 300000 THEN RAISE 'row 300000 cannot be read'; END IF;
    RETURN n;
END $$;
CREATE VIEW shop.breaking AS SELECT shop.fragile(n) AS n, repeat('x', 60) AS filling
    FROM generate_series(1, {ROWS}) n;
"""


@dataclass(frozen=True)
class Served:
    """A running service.

    Attributes:
        key: of schema `shop`, for everything.
    """

    server: RunningServer
    key: str
    database_url: str

    def get(self, path: str, accept: str) -> httpx.Response:
        """Read a whole answer."""
        headers = {"apikey": self.key, "Accept": accept}
        return httpx.get(f"{self.server.url}/rest/v1{path}", headers=headers, timeout=60)

    def until_no_copy_runs(self) -> None:
        """Wait until PostgreSQL copies nothing out any more."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.has_copy():
            assert time.monotonic() < deadline, "the query still runs"

    def has_copy(self) -> bool:
        """Tell whether PostgreSQL copies something out."""

        async def ask() -> bool:
            connection = await asyncpg.connect(self.database_url)
            found = await connection.fetchval(COPIES)
            await connection.close()
            return bool(found)

        return asyncio.run(ask())


@pytest.fixture
def served(database_url: str, machine: LicensedMachine) -> Iterator[Served]:
    asyncio.run(execute(database_url, TABLES))
    environment = service_environment(database_url, machine, POOL_SIZE="2")
    with running(BIN / "db-api", "serve", env=environment) as server:
        answer = httpx.post(
            f"{server.url}/api/project/shop/keys",
            json={"keyName": "x", "keyType": "service_role"},
            auth=(USER, PASSWORD),
        )
        yield Served(server, answer.json()["key"], database_url)


def test_a_failure_in_the_middle_is_no_complete_answer(served: Served) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        served.get("/breaking", "text/csv")
    assert served.get("/many?limit=1&select=n", "text/csv").text == "n\n1"


def test_every_row_arrives_in_constant_memory(served: Served) -> None:
    served.get("/many?limit=1000", "text/csv")
    before = peak_kib(served.server.pid)
    csv = served.get("/many", "text/csv").text
    ndjson = served.get("/many?select=n", "application/x-ndjson").text

    assert csv.count("\n") == ROWS
    assert csv.endswith(f"\n{ROWS},{'x' * 60}")
    assert ndjson.count("\n") == ROWS
    assert ndjson.endswith(f'{{"n":{ROWS}}}\n')
    assert peak_kib(served.server.pid) - before < 32 * 1024


def test_a_client_that_leaves_frees_its_backend_and_harms_nobody(served: Served) -> None:
    for _ in range(3):  # more often than there are connections
        with closing(asking(served, "/many")) as client:
            assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
            assert served.has_copy()  # held up by a client that reads nothing
        served.until_no_copy_runs()
    assert served.get("/many?limit=1&select=n", "text/csv").text == "n\n1"


def test_the_end_of_the_service_ends_what_it_sends(served: Served) -> None:
    with closing(asking(served, "/many")) as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
        assert served.server.stop() == 0
    served.until_no_copy_runs()


def asking(served: Served, path: str) -> socket.socket:
    """Ask for lines, on a connection that takes little at once."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", served.server.port))
    client.sendall(
        f"GET /rest/v1{path} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\n"
        f"apikey: {served.key}\r\n\r\n".encode()
    )
    return client


def peak_kib(pid: int) -> int:
    """Read the most memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
