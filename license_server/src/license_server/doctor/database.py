"""What the database answers, and what it holds."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import text

from license_server.errors import ConfigurationError, NotReady
from license_server.findings import Finding, failed, passed, warned
from license_server.repository.database import Database, naming_faults
from license_server.repository.schema import require_current
from license_server.repository.transaction import SqlRepository
from license_server.service import MAX_CLOCK_LAG
from license_server.settings import Settings
from license_server.stores import OutboxKind, OutboxState

_MONTH: Final = timedelta(days=30)
_IS_GREAT: Final = """
SELECT (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication)::int
FROM pg_roles WHERE rolname = current_user"""
_MAY_UNDO: Final = """
SELECT (has_table_privilege('audit_log', 'UPDATE, DELETE, TRUNCATE')
    OR pg_has_role(relowner, 'MEMBER'))::int
FROM pg_class WHERE oid = 'audit_log'::regclass"""
_SIZE: Final = "SELECT pg_database_size(current_database())"
_SIZE_OF_SQLITE: Final = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
_NEW_ENTRIES: Final = "SELECT count(*) FROM audit_log WHERE ts > :since"


async def examine_database(settings: Settings, now: datetime) -> list[Finding]:
    """Look at the database and at what it holds."""
    database = Database.from_url(settings.database_url.get_secret_value())
    try:
        await require_current(database)
        return [
            passed("D000", "the database answers and has this program's schema"),
            await _clock(database, now),
            *(await _privileges(database) if database.url is not None else ()),
            await _growth(database, now),
            await _outbox(database),
        ]
    except (ConfigurationError, NotReady) as error:
        remedy = (
            "see that it runs and that DATABASE_URL is right, then run `license-server migrate`"
        )
        return [failed("D000", str(error), remedy)]


async def _clock(database: Database, now: datetime) -> Finding:
    newest = await _number(database, "SELECT newest_at FROM server_state")
    if datetime.fromtimestamp(newest, UTC) - now > MAX_CLOCK_LAG:
        return failed(
            "C001",
            "the clock is behind the newest time in the database: nothing is signed",
            "set it right, or run `license-server clock accept` if it once ran ahead",
        )
    return passed("C001", "the clock is not behind the database")


async def _privileges(database: Database) -> list[Finding]:
    remedy = "let another role serve: `license-server migrate --grant-to ROLE`"
    findings = []
    if await _number(database, _IS_GREAT):
        findings.append(warned("D003", "the role in PostgreSQL may do more than serve", remedy))
    else:
        findings.append(passed("D003", "the role in PostgreSQL is no superuser"))
    if await _number(database, _MAY_UNDO):
        findings.append(warned("D004", "the role could undo the audit log", remedy))
    else:
        findings.append(passed("D004", "the role may only add to the audit log"))
    return findings


async def _growth(database: Database, now: datetime) -> Finding:
    """Tell what PostgreSQL's disk has to hold, which is not to be asked by SQL itself."""
    size = await _number(database, _SIZE if database.url is not None else _SIZE_OF_SQLITE)
    since = int((now - _MONTH).timestamp())
    entries = await _number(database, _NEW_ENTRIES, since=since)
    return passed(
        "D005",
        f"the database has {size / 2**20:.1f} MiB; the audit log grew by {entries:,} entries in "
        f"{_MONTH.days} days",
    )


async def _outbox(database: Database) -> Finding:
    async with SqlRepository(database).transaction() as transaction:
        given_up = await transaction.outbox.page(OutboxKind.MAIL, None, OutboxState.FAILED, None, 1)
    if given_up:
        return warned(
            "O001", "mails were given up", "see `license-server mail list --state failed`"
        )
    return passed("O001", "no mail was given up")


async def _number(database: Database, query: str, **values: int) -> int:
    with naming_faults():
        async with database.engine().connect() as connection:
            value: int = (await connection.execute(text(query), values)).scalar_one()
            return value
