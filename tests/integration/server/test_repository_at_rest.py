"""What a stolen database gives away, and what its audit log shows, on both databases."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from license_server.admin.tokens import Tokens
from license_server.audit import EMPTY, Change, Entry, Head
from license_server.doctor.database import examine_database
from license_server.emails import Email
from license_server.errors import ConfigurationError, StateConflict
from license_server.evaluation import Operation
from license_server.licenses import Change as Standing
from license_server.licenses import Kind
from license_server.repository.database import Database
from license_server.repository.grants import grant_to
from license_server.repository.schema import upgrade
from license_server.repository.tables import metadata
from license_server.settings import Settings
from license_server.tokens import Role
from support.licensed_vendor import Vendor
from support.licensing import DAY, EMAIL, NOW, OTHER_EMAIL, PEPPERS, PRODUCT
from support.postgres import SharedPostgres

pytestmark = pytest.mark.anyio


def migrate(url: str) -> None:
    asyncio.run(upgrade(Database.from_url(url)))


COLUMNS = "seq, ts, actor, action, subject, before, after, request_id, previous, hash"


async def dump(vendor: Vendor) -> bytes:
    """Return all that the database holds: every value of every table, or the very file."""
    if vendor.database.path is not None:
        folder = vendor.database.path.parent
        return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    values: list[bytes] = []
    for table in metadata.sorted_tables:
        for row in await vendor.rows(f"SELECT * FROM {table.name}"):
            values += [bytes(v) if isinstance(v, bytes) else str(v).encode() for v in row]
    return b"\n".join(values)


def spellings(secret: str) -> Iterator[bytes]:
    """Yield a secret as text and as the usual encodings of it, at each alignment of base64."""
    raw = secret.encode()
    for form in (raw, raw.lower(), raw.upper()):
        yield form
        yield form.hex().encode()
        yield form.hex().upper().encode()
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + form)
            yield encoded[4 if shift else 0 : -4]


async def test_a_dump_holds_no_key_no_email_and_no_token(vendor: Vendor) -> None:
    async with vendor.desk() as desk:
        secrets = [(await Tokens(desk).create("shop", Role.OWNER, DAY)).text]
    license_ids = []
    for number in range(20):
        email = Email(f"customer-{number}@buyers-of-things.example")
        license_id, key = await vendor.issue(email=email)
        await vendor.ask(key, Operation.ACTIVATE, email=email)
        await vendor.ask(key, email=OTHER_EMAIL)
        await vendor.change_standing(license_id, Standing.REVOKE)
        license_ids.append(license_id)
        secrets += [key.symbols, key.symbols[:26], email.address, email.domain]
    content = await dump(vendor)
    assert all(license_id.encode() in content for license_id in license_ids)  # the right place
    leaked = [secret for secret in secrets if any(s in content for s in spellings(secret))]
    assert leaked == []


async def test_another_sealing_key_opens_no_email(vendor: Vendor) -> None:
    license_id, _ = await vendor.issue()
    await vendor.change("UPDATE owners SET id = id, email_sealed = :other", other=b"0" * 40)
    with pytest.raises(ConfigurationError, match="sealing key"):
        await vendor.show(license_id)


async def entries(vendor: Vendor) -> list[tuple[Entry, bytes]]:
    def decoded(value: str | None) -> dict[str, object] | None:
        return None if value is None else dict(json.loads(value))

    rows = await vendor.rows(f"SELECT {COLUMNS} FROM audit_log ORDER BY seq")
    return [
        (
            Entry(
                seq,
                ts,
                Change(actor, action, subject, decoded(before), decoded(after), request_id),
                bytes(previous),
            ),
            bytes(kept),
        )
        for seq, ts, actor, action, subject, before, after, request_id, previous, kept in rows
    ]


async def test_every_change_appends_one_entry_to_an_unbroken_chain(vendor: Vendor) -> None:
    license_id, _ = await vendor.issue(lasts=DAY)
    for change in Standing:
        await vendor.change_standing(license_id, change)
        if change is Standing.REINSTATE:
            await vendor.renew(license_id, DAY)
    log = await entries(vendor)
    head = EMPTY
    for entry, kept in log:
        assert (entry.seq, entry.previous) == (head.seq + 1, head.hash)
        assert entry.hash() == kept
        head = Head(entry.seq, kept)
    assert [entry.change.action for entry, _ in log] == [
        "product.create",
        "license.issue",
        "license.suspend",
        "license.reinstate",
        "license.renew",
        "license.revoke",
    ]
    assert log[-1][0].change.before is not None
    assert log[-1][0].change.before["standing"] == "active"


async def test_a_refused_change_leaves_no_entry(vendor: Vendor) -> None:
    license_id, _ = await vendor.issue()
    before = await entries(vendor)
    with pytest.raises(StateConflict):
        await vendor.change_standing(license_id, Standing.REINSTATE)
    assert await entries(vendor) == before


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log"]
)
async def test_the_log_refuses_to_be_changed(vendor: Vendor, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        await vendor.change(statement)


async def test_a_second_trial_of_one_product_is_refused(vendor: Vendor) -> None:
    await vendor.issue(kind=Kind.TRIAL)
    with pytest.raises(StateConflict, match="trial"):
        await vendor.issue(kind=Kind.TRIAL)
    await vendor.issue(kind=Kind.TRIAL, email=OTHER_EMAIL)
    await vendor.sell("other")
    await vendor.issue("other", kind=Kind.TRIAL)
    await vendor.issue(kind=Kind.PAID)


async def test_a_product_is_created_once(vendor: Vendor) -> None:
    with pytest.raises(StateConflict, match=PRODUCT):
        await vendor.sell(PRODUCT)


async def test_licenses_are_listed_by_product_and_by_owner(vendor: Vendor) -> None:
    await vendor.sell("other")
    first, _ = await vendor.issue(now=NOW - DAY)
    second, _ = await vendor.issue("other")
    third, _ = await vendor.issue(email=OTHER_EMAIL, now=NOW + DAY)

    ada, eve = (PEPPERS.email_indexes(email) for email in (EMAIL, OTHER_EMAIL))
    assert await vendor.list_ids() == [first, second, third]
    assert await vendor.list_ids(product=PRODUCT) == [first, third]
    assert await vendor.list_ids(email_indexes=ada) == [first, second]
    assert await vendor.list_ids(product="other", email_indexes=eve) == []


def test_a_database_file_is_for_its_owner_alone(migrated_file: Path) -> None:
    assert migrated_file.stat().st_mode & 0o777 == 0o600


def test_the_serving_role_can_add_to_the_log_and_nothing_else(
    new_database: Callable[..., str], postgres: SharedPostgres
) -> None:
    url = new_database(template=postgres.template("license_server", migrate))
    asyncio.run(use_serving_role(Database.from_url(url)))


async def use_serving_role(database: Database) -> None:
    async with database.engine().begin() as connection:
        await connection.execute(
            text("DO $$BEGIN CREATE ROLE serving; EXCEPTION WHEN duplicate_object THEN END$$")
        )
    await grant_to(database, "serving")
    async with database.engine().connect() as connection:
        await connection.execute(text("SET ROLE serving"))
        await connection.execute(text("SELECT count(*) FROM audit_log, licenses, alembic_version"))
        await connection.execute(text("UPDATE server_state SET newest_at = 1"))
        await connection.execute(text("DELETE FROM deployments"))
        await connection.commit()
    for statement in (
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_log_is_append_only ON audit_log",
        "DROP TABLE audit_log",
    ):
        async with database.engine().connect() as connection:
            await connection.execute(text("SET ROLE serving"))
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                await connection.execute(text(statement))
    for role in ("x; DROP TABLE licenses", "", '"', "A"):
        with pytest.raises(ConfigurationError, match="grant-to"):
            await grant_to(database, role)


def test_a_doctor_warns_of_a_role_that_could_undo_the_log(
    tmp_path: Path, new_database: Callable[..., str], postgres: SharedPostgres
) -> None:
    url = new_database(template=postgres.template("license_server", migrate))
    settings = Settings(folder=tmp_path, database_url=SecretStr(url))
    findings = asyncio.run(examine_database(settings, NOW))
    levels = {finding.id: finding.level.value for finding in findings}
    assert levels == {"D000": "PASS", "C001": "PASS", "D003": "WARN", "D004": "WARN",
                      "D005": "PASS", "O001": "PASS"}  # fmt: skip
