"""What the database keeps, who may change it, and what its audit log shows, on both databases."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from license_server.audit import EMPTY, Change, Entry, Head
from license_server.doctor.database import examine_database
from license_server.errors import ConfigurationError, StateConflict
from license_server.evaluation import Operation
from license_server.licenses import Change as Standing
from license_server.licenses import Kind
from license_server.repository.database import Database
from license_server.repository.grants import grant_to
from license_server.repository.migration import upgrade
from license_server.settings import Settings
from support.licensed_vendor import Vendor
from support.licensing import DAY, EMAIL, NOW, OTHER_EMAIL, PEPPERS, PRODUCT
from support.postgres import SharedPostgres

pytestmark = pytest.mark.anyio


def migrate(url: str) -> None:
    asyncio.run(upgrade(Database.from_url(url)))


ATTACKS_ON_THE_LOG = (
    "UPDATE audit_log SET actor = 'nobody'",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (seq) DO UPDATE SET actor = 'x'",
    "MERGE INTO audit_log l USING licenses ON true WHEN MATCHED THEN DELETE",
    "SELECT * FROM audit_log FOR UPDATE",
    "ALTER TABLE audit_log DISABLE TRIGGER ALL",
    "ALTER TABLE audit_log RENAME TO other",
    "ALTER FUNCTION refuse_change_of_audit_log() RENAME TO other",
    "DROP TRIGGER audit_log_is_append_only ON audit_log",
    "DROP TABLE audit_log",
    "CREATE RULE r AS ON INSERT TO audit_log DO INSTEAD NOTHING",
    "CREATE TRIGGER t BEFORE INSERT ON audit_log EXECUTE FUNCTION refuse_change_of_audit_log()",
    "SET session_replication_role = replica",
    "SET ROLE postgres",
    "ALTER ROLE serving SUPERUSER",
    "COPY audit_log TO PROGRAM 'true'",
    "TRUNCATE licenses CASCADE",
)
COLUMNS = "seq, ts, actor, action, subject, before, after, request_id, previous, hash"


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


def as_role(url: str, role: str) -> str:
    """Return the URL by which a role logs in to the same database."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{role}@{host}").geturl()


async def use_serving_role(database: Database) -> None:
    assert database.url is not None
    async with database.engine().begin() as connection:
        await connection.execute(
            text(
                "DO $$BEGIN CREATE ROLE serving LOGIN PASSWORD 'serving'; "
                "EXCEPTION WHEN duplicate_object THEN END$$"
            )
        )
    await grant_to(database, "serving")
    served = Database.from_url(as_role(database.url, "serving"))
    async with Vendor.opened(served) as vendor:
        _, key = await vendor.issue()
        assert (await vendor.ask(key, Operation.ACTIVATE)).valid
        assert len(await entries(vendor)) == 2
        await vendor.change("DELETE FROM deployments")
        await vendor.change(
            "GRANT UPDATE ON audit_log TO serving"
        )  # only warned: it grants nothing
        for statement in ATTACKS_ON_THE_LOG:
            with pytest.raises(DBAPIError, match=r"permission denied|must be (?:owner|superuser)"):
                await vendor.change(statement)
        assert len(await entries(vendor)) == 2
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
