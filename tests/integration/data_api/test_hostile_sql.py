"""Statements that try to get out of `/api/query`, each with its exact outcome.

On the wheel's PostgreSQL 18; `tests/system` runs the same on Debian's 15.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeVar

import pytest

from db_api.user_sql.desk import DeskLimits, SqlLimits
from support.postgres import Cluster, wheel_cluster
from support.provisioned import Customer, asking_for_passwords
from support.user_sql import ADMIN, ANON, OK, SERVICE, Counter, opened_counter

pytestmark = pytest.mark.timeout(300)  # it starts a PostgreSQL and many processes

T = TypeVar("T")
LIMITS: Final = DeskLimits(
    anon=SqlLimits(timeout_ms=600, max_timeout_ms=20_000, max_rows=1000),
    others=SqlLimits(timeout_ms=600, max_timeout_ms=20_000, max_rows=1000),
    max_bytes=1024 * 1024,
    lock_timeout_ms=300,
)

NO_QUERY = SYNTAX = "42601"
DENIED = "42501"
READ_ONLY = "25006"
TOO_LATE = "57014"
USELESS = "DBAPI452"
TOO_LARGE = "DBAPI453"

# What it says, and what it comes to for anon, for service_role reading, and for service_role
# writing; None = service_role may do so, in mode `write`.
HOSTILE: Final[list[tuple[str, str, str, str | None]]] = [
    # more than one statement
    ("SELECT 1; SELECT 2", SYNTAX, SYNTAX, SYNTAX),
    ("SELECT 1; CREATE TABLE shop.evil ()", SYNTAX, SYNTAX, SYNTAX),
    ("SELECT 1) TO STDOUT; CREATE TABLE shop.evil (); --", SYNTAX, SYNTAX, SYNTAX),
    ("/* */; DROP TABLE shop.items", SYNTAX, SYNTAX, DENIED),
    ("SELECT E'\\'; DROP TABLE shop.items; --'", OK, OK, OK),
    # transactions, roles and settings
    ("COMMIT", NO_QUERY, NO_QUERY, USELESS),
    ("ROLLBACK", NO_QUERY, NO_QUERY, USELESS),
    ("/* x */ COMMIT AND CHAIN", NO_QUERY, NO_QUERY, USELESS),
    ("BEGIN", NO_QUERY, NO_QUERY, USELESS),
    ("SAVEPOINT s", NO_QUERY, NO_QUERY, USELESS),
    ("SET TRANSACTION READ WRITE", NO_QUERY, NO_QUERY, USELESS),
    ("SET ROLE api_admin", NO_QUERY, NO_QUERY, USELESS),
    ("SET client_encoding = 'LATIN1'", NO_QUERY, NO_QUERY, USELESS),
    ("SELECT set_config('role', 'api_admin', false)", DENIED, DENIED, DENIED),
    ("SELECT set_config('session_authorization', 'api_admin', false)", DENIED, DENIED, DENIED),
    ("SELECT set_config('transaction_read_only', 'off', false)", "25001", "25001", None),
    ("SELECT set_config('default_transaction_read_only', 'off', false)", OK, OK, OK),
    ("SELECT set_config('statement_timeout', '0', false)", OK, OK, OK),
    (
        "SELECT set_config('statement_timeout', '0', false), pg_sleep(9)",
        TOO_LATE,
        TOO_LATE,
        TOO_LATE,
    ),
    ("SELECT set_config('search_path', 'warehouse', false)", OK, OK, OK),
    ("SELECT set_config('client_encoding', 'SQL_ASCII', false)", USELESS, USELESS, USELESS),
    ("ALTER ROLE CURRENT_USER SET statement_timeout = 0", NO_QUERY, NO_QUERY, None),
    ("ALTER ROLE CURRENT_USER SUPERUSER", NO_QUERY, NO_QUERY, DENIED),
    # what is no query
    ("DO $$ BEGIN CREATE TABLE shop.evil (); END $$", NO_QUERY, NO_QUERY, None),
    ("DO $$ BEGIN COMMIT; END $$", NO_QUERY, NO_QUERY, "2D000"),
    ("COPY shop.items TO STDOUT", NO_QUERY, NO_QUERY, USELESS),
    ("COPY shop.items FROM '/etc/passwd'", NO_QUERY, NO_QUERY, USELESS),
    ("COPY (SELECT 1) TO PROGRAM 'id'", NO_QUERY, NO_QUERY, USELESS),
    ("EXPLAIN ANALYZE DELETE FROM shop.items", NO_QUERY, NO_QUERY, None),
    ("PREPARE evil AS SELECT 1", NO_QUERY, NO_QUERY, USELESS),
    ("EXECUTE statement", NO_QUERY, NO_QUERY, USELESS),
    ("DEALLOCATE ALL", NO_QUERY, NO_QUERY, USELESS),
    ("DISCARD ALL", NO_QUERY, NO_QUERY, USELESS),
    ("DECLARE evil CURSOR WITH HOLD FOR SELECT 1", NO_QUERY, NO_QUERY, USELESS),
    ("CLOSE ALL", NO_QUERY, NO_QUERY, USELESS),
    ("VACUUM shop.items", NO_QUERY, NO_QUERY, "25001"),
    ("", SYNTAX, SYNTAX, SYNTAX),
    ("/* nothing */ ;", SYNTAX, SYNTAX, SYNTAX),
    ("SELECT 1 /* unclosed", SYNTAX, SYNTAX, SYNTAX),
    ("SELECT $x$unclosed", SYNTAX, SYNTAX, SYNTAX),
    # writing
    (
        "WITH gone AS (DELETE FROM shop.items RETURNING *) SELECT * FROM gone",
        "0A000",
        "0A000",
        None,
    ),
    ("INSERT INTO shop.items (name) VALUES ('evil')", NO_QUERY, NO_QUERY, None),
    ("SELECT * INTO shop.evil FROM shop.items", SYNTAX, SYNTAX, None),
    ("SELECT * INTO TEMP evil FROM shop.items", SYNTAX, SYNTAX, DENIED),
    ("CREATE TEMP TABLE evil ()", NO_QUERY, NO_QUERY, DENIED),
    ("CREATE TABLE public.evil ()", NO_QUERY, NO_QUERY, DENIED),
    ("CREATE SCHEMA evil", NO_QUERY, NO_QUERY, DENIED),
    ("DROP TABLE shop.items", NO_QUERY, NO_QUERY, DENIED),
    ("SELECT nextval('shop.items_id_seq')", DENIED, READ_ONLY, None),
    ("SELECT setval('shop.items_id_seq', 999)", DENIED, READ_ONLY, None),
    ("SELECT * FROM shop.items FOR UPDATE", READ_ONLY, READ_ONLY, None),
    ("SELECT lo_create(0)", READ_ONLY, READ_ONLY, None),
    ("SELECT lo_from_bytea(0, 'x')", READ_ONLY, READ_ONLY, None),
    ("SELECT lo_import('/etc/passwd')", DENIED, DENIED, DENIED),
    ("SELECT query_to_xml('DELETE FROM shop.items', true, true, '')", "0A000", "0A000", "0A000"),
    ("SELECT query_to_xml('COMMIT', true, true, '')", "22000", "22000", "22000"),
    ("SELECT shop.answer()", DENIED, OK, OK),
    ("CALL shop.answer()", NO_QUERY, NO_QUERY, "42809"),
    # what others would notice
    ("SELECT pg_advisory_lock(7)", OK, OK, OK),
    ("LOCK TABLE shop.items", NO_QUERY, NO_QUERY, USELESS),
    ("LISTEN evil", NO_QUERY, NO_QUERY, USELESS),
    ("SELECT pg_notify('evil', 'x')", OK, OK, OK),
    ("SELECT pg_sleep(60)", TOO_LATE, TOO_LATE, TOO_LATE),
    ("SELECT pg_terminate_backend(pg_backend_pid())", "57P01", "57P01", "57P01"),
    ("SELECT pg_cancel_backend(pg_backend_pid())", TOO_LATE, TOO_LATE, TOO_LATE),
    ("SELECT pg_reload_conf()", DENIED, DENIED, DENIED),
    ("SELECT pg_export_snapshot()", OK, OK, OK),
    # what is too large
    ("SELECT repeat('x', 300000000)", TOO_LARGE, TOO_LARGE, OK),
    ("SELECT repeat('x', 100000) FROM generate_series(1, 3000)", OK, OK, OK),
    ("SELECT * FROM generate_series(1, 100000)", OK, OK, OK),
    ("SELECT count(*) FROM generate_series(1, 1000000000)", TOO_LATE, TOO_LATE, TOO_LATE),
    # what is not the caller's
    ("SELECT * FROM warehouse.secrets", DENIED, DENIED, DENIED),
    ("SELECT * FROM db_api.keys", DENIED, DENIED, DENIED),
    ("SELECT * FROM db_api.logins", DENIED, DENIED, DENIED),
    ("SELECT * FROM pg_authid", DENIED, DENIED, DENIED),
    ("SELECT passwd FROM pg_shadow", DENIED, DENIED, DENIED),
    ("SELECT pg_read_file('/etc/passwd')", DENIED, DENIED, DENIED),
    ("SELECT pg_ls_dir('/')", DENIED, DENIED, DENIED),
    ("SELECT dblink('dbname=postgres', 'SELECT 1')", "42883", "42883", "42883"),
    ("GRANT api_admin TO CURRENT_USER", NO_QUERY, NO_QUERY, DENIED),
]
BEFORE_16: Final = {"SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')"}
"""There they write in READ ONLY transactions too, and a DBA has taken them from everybody."""

STATE = """SELECT (SELECT array_agg(name) FROM shop.items), to_regclass('shop.evil'),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' OR mode LIKE '%Exclusive%'
        AND relation = 'shop.items'::regclass),
    (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db-api sql')"""
SETTINGS = """SELECT concat_ws(' ', current_setting('statement_timeout'),
    current_setting('search_path'), current_setting('transaction_read_only'),
    current_setting('client_encoding'), current_user = session_user)"""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with wheel_cluster() as cluster, asking_for_passwords(cluster) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def customer(server: Cluster) -> Customer:
    """Provision a schema; what a DBA should run has been run."""
    customer = Customer(server)
    done = customer.run("provision", "shop", "--revoke-public")
    customer.execute(";".join(done["forTheDba"]))
    return customer


def at(customer: Customer, work: Callable[[Counter], Awaitable[T]]) -> T:
    async def run() -> T:
        async with opened_counter(customer, LIMITS) as counter:
            return await work(counter)

    return asyncio.run(run())


@pytest.mark.parametrize(("sql", "anon", "reading", "writing"), HOSTILE)
def test_a_hostile_statement_comes_to_exactly_this(
    customer: Customer, sql: str, anon: str, reading: str, writing: str | None
) -> None:
    version = int(customer.fetch("SHOW server_version_num")[0][0])
    if version < 160_000 and sql in BEFORE_16:
        anon, reading, writing = DENIED, DENIED, DENIED

    timeout_ms = 20_000 if "repeat(" in sql else None

    async def try_all(counter: Counter) -> list[object]:
        outcomes: list[object] = [
            await counter.outcome(ANON, sql, timeout_ms=timeout_ms),
            await counter.outcome(SERVICE, sql, timeout_ms=timeout_ms),
        ]
        if writing is not None:
            outcomes.append(
                await counter.outcome(SERVICE, sql, mode="write", timeout_ms=timeout_ms)
            )
        return [*outcomes, await counter.value(ANON, SETTINGS)]

    *outcomes, settings = at(customer, try_all)

    assert outcomes == [anon, reading] + ([] if writing is None else [writing])
    assert settings == "600ms shop on UTF8 t"
    assert customer.fetch(STATE) == [(["anvil"], None, 0, 0)]


def test_anon_writes_in_no_mode(customer: Customer) -> None:
    async def try_it(counter: Counter) -> str:
        return await counter.outcome(ANON, "SELECT 1", mode="write")

    assert at(customer, try_it) == "DBAPI102"


def test_a_write_is_committed_and_recorded(customer: Customer) -> None:
    async def write(counter: Counter) -> int:
        done = await counter.run(
            SERVICE,
            "INSERT INTO items (name) VALUES ($1), ($2) RETURNING id",
            "a",
            None,
            mode="write",
        )
        await counter.run(SERVICE, "DELETE FROM items WHERE id > 1", mode="write")
        return done.row_count

    assert at(customer, write) == 2
    (row,) = customer.fetch(
        "SELECT actor, subject, details->>'kind', length(details->>'sha256') FROM db_api.audit"
        " WHERE action = 'sql.write' ORDER BY id DESC LIMIT 1"
    )
    assert row == (f"key:{SERVICE.key_prefix}", "schema:shop", "service_role", 64)
    assert customer.fetch("SELECT name FROM shop.items") == [("anvil",)]


def test_a_result_says_what_it_left_out(customer: Customer) -> None:
    async def read(counter: Counter) -> tuple[int, bool, int, bool]:
        most = await counter.run(ANON, "SELECT * FROM generate_series(1, 2000) AS n")
        few = await counter.run(ANON, "SELECT 1 AS a, 2 AS a, NULL AS b", max_rows=1)
        assert few.rows == [{"a": 1, "a_1": 2, "b": None}]
        assert [column.type for column in few.columns] == ["integer", "integer", "text"]
        return most.row_count, most.is_truncated, few.row_count, few.is_truncated

    assert at(customer, read) == (1000, True, 1, False)


def test_values_are_bound_and_come_out_as_postgresql_writes_them(customer: Customer) -> None:
    async def read(counter: Counter) -> list[object]:
        hostile = "'); DROP TABLE shop.items; --"
        return [
            await counter.value(ANON, "SELECT $1::text", hostile),
            await counter.value(ANON, "SELECT $1::bigint + 1", "9007199254740993"),
            await counter.value(ANON, "SELECT $1::text[]", ["a", None, 'b"c']),
            await counter.value(ANON, "SELECT ($1::jsonb)->>'k'", {"k": "v"}),
            await counter.value(ANON, "SELECT 'NaN'::float8"),
            await counter.value(ANON, "SELECT 10::numeric ^ 40"),
        ]

    hostile, big, array, member, nan, power = at(customer, read)
    assert hostile == "'); DROP TABLE shop.items; --"
    assert big == "9007199254740994"  # no JSON number of every reader's holds it
    assert array == '{a,NULL,"b\\"c"}'
    assert member == "v"
    assert nan == "NaN"
    assert str(power).startswith("1" + "0" * 40)


def test_the_administrator_reads_what_its_login_may(customer: Customer) -> None:
    async def read(counter: Counter) -> object:
        return await counter.value(ADMIN, "SELECT count(*) FROM warehouse.secrets")

    assert at(customer, read) == 0


def test_a_schema_without_logins_runs_no_sql_of_its_keys(server: Cluster) -> None:
    bare = Customer(server)

    async def try_it(counter: Counter) -> tuple[str, str]:
        return await counter.outcome(ANON, "SELECT 1"), await counter.outcome(SERVICE, "SELECT 1")

    assert at(bare, try_it) == ("DBAPI450", "DBAPI450")
