"""A thief of the database finds no secret in it, though everything got into it that ever does."""

import asyncio
import base64
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg
import pytest

from support.business import NO_MAIL_SERVER, SETTINGS, Business
from support.leaks import Haystack
from support.postgres import dump
from support.vendor import Vendor

COUNTS = {"key": 100, "email": 100, "note": 25, "token": 3, "webhook secret": 8,
          "recovery token": 5}  # fmt: skip
RAW = b"\xfb\xff\xbe canary \xfe\xff\x00\x01\xfa"  # has + and / in base64


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str | None:
    """Return the URL of an empty database; None = SQLite in the vendor's folder."""
    return new_database() if request.param == "postgresql" else None


def stolen(folder: Path, database_url: str | None) -> bytes:
    """Return a dump of PostgreSQL, or the files of SQLite with what is not written back yet."""
    if database_url is not None:
        return dump(database_url)
    files = sorted(folder.glob("license-server.db*"))
    return b"\n".join(path.read_bytes() for path in files)


@pytest.mark.timeout(300)  # a hundred licenses, and a server that is started twice
def test_a_dump_of_a_busy_server_holds_no_secret(database_url: str | None, tmp_path: Path) -> None:
    settings = SETTINGS | ({"DATABASE_URL": database_url} if database_url else {})
    vendor = Vendor(tmp_path / "vendor", tls=None, settings=settings)
    business = Business(vendor)
    with vendor.serving() as running:
        business.do_it_all(running)
    vendor.settings = settings | NO_MAIL_SERVER
    with vendor.serving() as running:
        business.sell_unsent(running)
        content = stolen(vendor.folder, database_url)

    told = business.secrets
    counted = {kind: told.counted(kind) for kind in COUNTS}
    assert all(counted[kind] >= number for kind, number in COUNTS.items()), counted
    assert all(license_id.encode() in content for license_id in business.license_ids)
    assert Haystack(content).leaked(told.values) == []


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
        database = sqlite3.connect(folder / "license-server.db")
        database.execute("CREATE TABLE planted (words text, bytes blob)")
        database.executemany("INSERT INTO planted VALUES (?, ?)", rows)
        database.commit()
        database.close()
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
