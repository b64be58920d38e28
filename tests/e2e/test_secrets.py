"""No secret gets out of a busy server: not by its database, its log, its answers or its commands.

Everything got into it that ever does, by the ways that vendors and customers have.
"""

import asyncio
import base64
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from support.business import NO_MAIL_SERVER, SETTINGS, Business
from support.leaks import Haystack
from support.postgres import SharedPostgres, dump
from support.servers import BIN
from support.vendor import Vendor

COUNTS = {"key": 100, "email": 100, "note": 25, "token": 3, "webhook secret": 8,
          "recovery token": 5}  # fmt: skip
DAMAGES = (
    "UPDATE licenses SET entitlements = 'no JSON'",
    "ALTER TABLE license_keys RENAME TO gone",
    "ALTER TABLE outbox RENAME TO gone_too",
)
pytestmark = pytest.mark.timeout(300)  # a hundred licenses, and a server that is started twice
RAW = b"\xfb\xff\xbe canary \xfe\xff\x00\x01\xfa"  # has + and / in base64


@dataclass(frozen=True)
class Day:
    """What was told to a server on a busy day, and what is to be had of it afterwards.

    Attributes:
        business: whoever told it.
        database: a dump of PostgreSQL, or the files of SQLite.
        shown: what others get to see, by where they look.
    """

    business: Business
    database: bytes
    shown: dict[str, str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, postgres: SharedPostgres) -> Iterator[str | None]:
    """Yield the URL of an empty database; None = SQLite in the vendor's folder."""
    name = f"stolen_{secrets.token_hex(6)}"
    yield postgres.create(name) if request.param == "postgresql" else None
    postgres.drop(name)


@pytest.fixture(scope="module")
def day(database_url: str | None, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Live through a day, and through a night in which the database is damaged."""
    settings = SETTINGS | ({"DATABASE_URL": database_url} if database_url else {})
    folder = tmp_path_factory.mktemp("day") / "vendor"
    vendor = Vendor(folder, tls=None, settings=settings | {"LOG_LEVEL": "debug"})
    business = Business(vendor)
    with vendor.serving() as running:
        business.do_it_all(running)
        log = running.log
    vendor.settings = {**vendor.settings, **NO_MAIL_SERVER, "SMTP_PASSWORD": "canary-password"}
    with vendor.serving() as running:
        business.sell_unsent(running)
        database = stolen(folder, database_url)
        shown = {"refusals": business.be_refused(running), "metrics": business.metrics(running)}
        for number, damage in enumerate(DAMAGES):
            execute(folder, database_url, damage)
            shown[f"failures {number}"] = business.be_refused(running)
        shown["processes"] = Path(f"/proc/{running.pid}/cmdline").read_text()
    shown |= {
        "log": log,
        "log of failures": running.log,
        "settings": vendor.command("config", "show") + vendor.command("config", "show", "--json"),
        "doctor": doctor(vendor),
    }
    business.secrets.add("password", "canary-password")
    return Day(business, database, shown)


def stolen(folder: Path, database_url: str | None) -> bytes:
    """Return a dump of PostgreSQL, or the files of SQLite with what is not written back yet."""
    if database_url is not None:
        return dump(database_url)
    files = sorted(folder.glob("license-server.db*"))
    return b"\n".join(path.read_bytes() for path in files)


def doctor(vendor: Vendor) -> str:
    command = [str(BIN / "license-server"), "--dir", str(vendor.folder), "doctor"]
    env = {**os.environ, **vendor.settings}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert "M002" in done.stdout, done.stderr
    return done.stdout + done.stderr


def execute(folder: Path, database_url: str | None, statement: str) -> None:
    """Run a statement behind the server's back."""
    if database_url is not None:
        asyncio.run(execute_on_postgres(database_url, statement))
        return
    with closing(sqlite3.connect(folder / "license-server.db")) as database:
        database.execute(statement)
        database.commit()


async def execute_on_postgres(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def test_a_dump_of_a_busy_server_holds_no_secret(day: Day) -> None:
    told = day.business.secrets
    counted = {kind: told.counted(kind) for kind in COUNTS}
    assert all(counted[kind] >= number for kind, number in COUNTS.items()), counted
    assert all(license_id.encode() in day.database for license_id in day.business.license_ids)
    assert Haystack(day.database).leaked(told.values) == []


def test_nothing_that_a_busy_server_shows_holds_a_secret(day: Day) -> None:
    told = day.business.secrets.values
    leaked = {place: Haystack(text.encode()).leaked(told) for place, text in day.shown.items()}
    assert {place: names for place, names in leaked.items() if names} == {}
    assert "Traceback" in day.shown["log of failures"]
    assert "INTERNAL" in day.shown["failures 0"]
    assert "NOT_READY" in day.shown["failures 2"]
    assert "http.access" in day.shown["log"]
    assert "license_server_decisions" in day.shown["metrics"]
    assert "license-server" in day.shown["processes"]


def planted() -> dict[str, tuple[str | bytes, str | bytes]]:
    """Return secrets by how they are hidden: each, and what of it stands in the database."""

    def address(name: str) -> str:
        return f"Canary.{name}+search@mail-7c1d.example"

    hidden: dict[str, tuple[str | bytes, str | bytes]] = {
        "text": (address("a"), address("a")),
        "lower case": (address("b"), address("b").lower()),
        "upper case": (address("c"), address("c").upper()),
        "hex": (address("d"), address("d").encode().hex()),
        "HEX of lower case": (address("e"), address("e").lower().encode().hex().upper()),
        "bytes": (RAW + b"1", b"in front " + RAW + b"1" + b" behind"),
        "hex in bytes": (RAW + b"2", (RAW + b"2").hex().encode()),
        "base64url of bytes": (RAW + b"3", base64.urlsafe_b64encode(RAW + b"3").decode()),
        "base64 in bytes": (RAW + b"4", base64.b64encode(RAW + b"4")),
    }
    for shift in range(3):
        secret = address(f"at-{shift}")
        around = "{" * shift + secret.lower() + "}" * (3 - shift)
        hidden[f"base64 at {shift}"] = (secret, base64.b64encode(around.encode()).decode())
    return hidden


def plant(folder: Path, database_url: str | None, values: list[str | bytes]) -> None:
    """Write values into a table of a database."""
    rows = [(None, value) if isinstance(value, bytes) else (value, None) for value in values]
    if database_url is None:
        with closing(sqlite3.connect(folder / "license-server.db")) as database:
            database.execute("CREATE TABLE planted (words text, bytes blob)")
            database.executemany("INSERT INTO planted VALUES (?, ?)", rows)
            database.commit()
        return
    asyncio.run(plant_on_postgres(database_url, rows))


async def plant_on_postgres(url: str, rows: Sequence[tuple[str | None, bytes | None]]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE planted (words text, bytes bytea)")
    await connection.executemany("INSERT INTO planted VALUES ($1, $2)", rows)
    await connection.close()


def test_the_search_finds_what_a_dump_does_hold(database_url: str | None, tmp_path: Path) -> None:
    hidden = planted()
    plant(tmp_path, database_url, [value for _, value in hidden.values()])

    haystack = Haystack(stolen(tmp_path, database_url))

    assert haystack.leaked({name: secret for name, (secret, _) in hidden.items()}) == sorted(hidden)
    assert haystack.leaked({"absent": "Canary.z+search@mail-7c1d.example"}) == []
