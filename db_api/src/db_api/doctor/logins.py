"""The logins that keys run as: only what the database refuses is refused for sure."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from db_api.doctor import catalog_queries as queries
from db_api.findings import Finding, failed, passed, warned

_SHOWN: Final = 5


async def examine_logins(connection: AsyncConnection) -> list[Finding]:
    """Look at the login of DATABASE_URL and those of the schemas."""

    async def names(query: queries.Query) -> list[str]:
        return list(await connection.scalars(query))

    great, writing = await names(queries.GREAT_LOGINS), await names(queries.WRITING_ANON_LOGINS)
    bare = await names(queries.SCHEMAS_WITHOUT_LOGINS)
    changed, unlimited = await names(queries.LOGIN_SETTINGS), await names(queries.UNLIMITED_LOGINS)
    return [_separation(great, writing, bare), _settings(changed), _limit(unlimited)]


def _separation(great: Sequence[str], writing: Sequence[str], bare: Sequence[str]) -> Finding:
    remedy = "run `db-api provision SCHEMA`, with --repair where it was done before"
    if great:
        return failed("K002", f"logins of schemas may do too much: {_some(great)}", remedy)
    if writing:
        return failed("K002", f"logins of anon keys may write: {_some(writing)}", remedy)
    if bare:
        return warned(
            "K002", f"keys run as the login of DATABASE_URL, for schemas {_some(bare)}", remedy
        )
    return passed("K002", "the database itself lets anon keys do nothing but read")


def _settings(changed: Sequence[str]) -> Finding:
    if changed:
        return warned(
            "D004",
            f"settings of our logins were changed: {_some(changed)}",
            "ALTER ROLE … RESET …: any login may change its own",
        )
    return passed("D004", "no setting of our logins was changed")


def _limit(unlimited: Sequence[str]) -> Finding:
    if unlimited:
        return warned(
            "D007",
            f"one statement may fill the disk with temporary files, as {_some(unlimited)}",
            "as a superuser: ALTER ROLE … SET temp_file_limit = '1GB'",
        )
    return passed("D007", "temporary files of our logins are limited")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
