"""What PostgreSQL says of itself, and of the logins that serve."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db_api.addresses import database_hosts
from db_api.control.database import database_errors, open_control
from db_api.control.login_rights import judge_login, read_login_rights
from db_api.control.revision import require_revision
from db_api.control.tables import KEYS
from db_api.doctor import catalog_queries as queries
from db_api.doctor.logins import examine_logins
from db_api.errors import DataApiError
from db_api.findings import Finding, failed, passed, warned
from db_api.settings import DatabaseSettings

_KEY_AGE: Final = timedelta(days=90)
_SHOWN: Final = 5
_LO_FREE_VERSION: Final = 160_000  # as server_version_num: 16 checks READ ONLY in lo_*
_CONTROL_CONNECTIONS: Final = 3  # the pool of the service's own tables, and one that listens


async def examine_database(
    settings: DatabaseSettings, pool_size: int, now: datetime
) -> list[Finding]:
    """Look at the database and at what it holds.

    Args:
        settings: have its URL.
        pool_size: connections of one process for data.
        now: against which keys are old.
    """
    url = settings.database_url.get_secret_value()
    engine = open_control(url, statement_seconds=10)
    try:
        await require_revision(engine)
        findings = [
            passed("D000", "the database answers and has this program's tables"),
            judge_login(await read_login_rights(engine)),
        ]
        with database_errors():
            async with engine.connect() as connection:
                return findings + [
                    finding async for finding in _examine(connection, url, pool_size, now)
                ]
    except DataApiError as error:
        remedy = error.hint or "see that it runs and that DATABASE_URL is right"
        return [failed("D000", error.message, remedy)]
    finally:
        await engine.dispose()


async def _examine(
    connection: AsyncConnection, url: str, pool_size: int, now: datetime
) -> AsyncIterator[Finding]:
    yield await _tls(connection, url)
    yield await _room(connection, pool_size)
    yield await _temporary_tables(connection)
    yield await _large_objects(connection)
    yield _listed(
        "D010",
        await _names(connection, queries.OPEN_DEFINERS),
        "SECURITY DEFINER functions that PUBLIC may execute",
        "REVOKE EXECUTE ON FUNCTION … FROM PUBLIC, and grant it to whom it is for",
    )
    yield _listed(
        "D011",
        await _names(connection, queries.VIEWS_PAST_POLICIES),
        "views that read past row level security with their owner's rights",
        "ALTER VIEW … SET (security_invoker = true)",
    )
    yield _listed(
        "D012",
        await _names(connection, queries.DANGEROUS_EXTENSIONS),
        "extensions that reach files, programs or other servers",
        "DROP EXTENSION what is not used; revoke the rest from PUBLIC",
    )
    yield _listed(
        "D013",
        await _names(connection, queries.OPEN_SCHEMAS),
        "schemas in which everybody may create functions and operators, which others then run",
        "REVOKE CREATE ON SCHEMA … FROM PUBLIC",
    )
    yield await _old_keys(connection, now)
    for finding in await examine_logins(connection):
        yield finding


async def _tls(connection: AsyncConnection, url: str) -> Finding:
    if not database_hosts(url):
        return passed("D006", "this connection never leaves the machine")
    if await connection.scalar(queries.IS_ENCRYPTED):
        return passed("D006", "this connection is encrypted")
    return failed("D006", "this connection is in the clear", "set sslmode=verify-full")


async def _room(connection: AsyncConnection, pool_size: int) -> Finding:
    room = await connection.scalar(queries.ROOM)
    needed = pool_size + _CONTROL_CONNECTIONS
    if needed > room:
        return warned(
            "D005",
            f"one process of the service wants {needed} connections, PostgreSQL lets {room} in",
            "lower POOL_SIZE, or raise max_connections",
        )
    return passed("D005", f"PostgreSQL lets {room} connections in, a process wants {needed}")


async def _temporary_tables(connection: AsyncConnection) -> Finding:
    if await connection.scalar(queries.TEMPORARY_FOR_PUBLIC):
        return warned(
            "D008",
            "every login may make temporary tables, in READ ONLY transactions too",
            "REVOKE TEMPORARY ON DATABASE … FROM PUBLIC",
        )
    return passed("D008", "temporary tables are not for everybody")


async def _large_objects(connection: AsyncConnection) -> Finding:
    if await connection.scalar(queries.VERSION) >= _LO_FREE_VERSION:
        return passed("D009", "READ ONLY transactions make no large objects on this version")
    return _listed(
        "D009",
        await _names(connection, queries.LARGE_OBJECT_WRITERS),
        "functions by which READ ONLY transactions write large objects",
        "REVOKE EXECUTE ON FUNCTION … FROM PUBLIC, or upgrade to PostgreSQL 16",
    )


async def _old_keys(connection: AsyncConnection, now: datetime) -> Finding:
    statement = select(func.count()).where(
        KEYS.c.revoked_at.is_(None),
        KEYS.c.created_at < now - _KEY_AGE,
        func.coalesce(KEYS.c.expires_at, now + _KEY_AGE) > now,
    )
    old = await connection.scalar(statement)
    if old:
        return warned(
            "A004",
            f"{old} API keys are older than {_KEY_AGE.days} days",
            "rotate them: POST /api/project/{schema}/keys/{id}/rotate",
        )
    return passed("A004", f"no API key is older than {_KEY_AGE.days} days")


async def _names(connection: AsyncConnection, query: queries.Query) -> list[str]:
    return list(await connection.scalars(query))


def _listed(id_: str, names: Sequence[str], what: str, remedy: str) -> Finding:
    if not names:
        return passed(id_, f"there are no {what}")
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return warned(id_, f"{what}: {', '.join(names[:_SHOWN])}{more}", remedy)
