"""Rows by the million out of the data API and into it, beside what psql does with the same."""

import socket
import statistics
import subprocess
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from bench.cpu import resident_megabytes
from support.postgres import SharedPostgres, wheel_program
from support.servers import RunningServer
from support.studio import Studio, serving_studio

ROUNDS: Final = 5
ROWS: Final = 1_000_000
OUT_AT_LEAST: Final = 0.85
GROWTH_AT_MOST_MB: Final = 32
_MANY: Final = f"""
create table studio.many as
    select n, 'title ' || n as title, n / 100.0 as price, date '2000-01-01' + n % 9000 as shown
    from generate_series(1, {ROWS}) n;
alter table studio.many add primary key (n);
create table studio.taken (like studio.many);
analyze studio.many
"""
_PART: Final = 1 << 18


def measure(folder: Path, postgres: SharedPostgres, say: Callable[[str], None]) -> None:
    """Copy a table out and in, by the service and by psql in turns, and say what it took."""
    with serving_studio(postgres, folder) as studio:
        psql = _Psql(studio.database_url)
        psql.run(_MANY)
        file = folder / "many.csv"
        _wait_for_table(studio)
        before = resident_megabytes(studio.server.pid)
        outs = [
            (_get(studio.server, studio.service_key), psql.copy_out(file)) for _ in range(ROUNDS)
        ]
        say(_line("1 M rows of CSV out", outs, f"aim >= {OUT_AT_LEAST} of its speed"))
        ins = []
        for _ in range(ROUNDS):
            api = _post(studio.server, studio.service_key, file)
            psql.run("truncate studio.taken")
            ins.append((api, psql.copy_in(file)))
            psql.run("truncate studio.taken")
        say(_line("1 M rows of CSV in", ins, "which names no aim"))
        grown = resident_megabytes(studio.server.pid) - before
        say(f"memory grew by {grown:.0f} MB   aim <= {GROWTH_AT_MOST_MB}")


def _line(name: str, pairs: list[tuple[float, float]], aim: str) -> str:
    ratios = [theirs / ours for ours, theirs in pairs]
    return (
        f"{name}: {statistics.median(ratios):.2f} of psql's speed,"
        f" spread {min(ratios):.2f}-{max(ratios):.2f},"
        f" {statistics.median(ours for ours, _ in pairs):.1f} s   {aim}"
    )


def _wait_for_table(studio: Studio) -> None:
    """Wait until the service sees the table: it looks at the schema once a second at most."""
    url, headers = f"{studio.rest}/many?limit=1", {"apikey": studio.service_key}
    while httpx.get(url, headers=headers).status_code != HTTPStatus.OK:
        time.sleep(0.1)


class _Psql:
    """psql on a database."""

    def __init__(self, url: str) -> None:
        self._command = [str(wheel_program("psql")), "-qX", "-v", "ON_ERROR_STOP=1", url]

    def run(self, sql: str) -> float:
        """Run something, and return how many seconds it took."""
        started_at = time.perf_counter()
        subprocess.run([*self._command, "-c", sql], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started_at

    def copy_out(self, file: Path) -> float:
        """Copy the table into a file."""
        return self.run(f"\\copy studio.many to '{file}' csv header")

    def copy_in(self, file: Path) -> float:
        """Copy a file into the other table."""
        return self.run(f"\\copy studio.taken from '{file}' csv header")


def _get(server: RunningServer, key: str) -> float:
    """Read the table, and return how many seconds it took."""
    head = f"GET /rest/v1/many HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\napikey: {key}\r\n\r\n"
    started_at = time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(head.encode())
        end = b""
        while not end.endswith(b"0\r\n\r\n"):
            part = client.recv(_PART)
            if not part:
                raise RuntimeError("the answer broke off")
            end = (end + part)[-16:]
    return time.perf_counter() - started_at


def _post(server: RunningServer, key: str, file: Path) -> float:
    """Post a file, and return how many seconds it took."""
    head = (
        f"POST /rest/v1/taken HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\napikey: {key}\r\n"
        f"Content-Length: {file.stat().st_size}\r\n\r\n"
    )
    started_at = time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port)) as client, file.open("rb") as body:
        client.sendall(head.encode())
        client.sendfile(body)
        answer = client.recv(_PART)
    if not answer.startswith(b"HTTP/1.1 201"):
        raise RuntimeError(answer.decode())
    return time.perf_counter() - started_at
