"""The login roles of a schema, attacked with their own credentials.

On the wheel's PostgreSQL 18; `tests/system` runs the same on Debian's 15.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from db_api.api_keys import KeyType
from db_api.grants import role_name
from db_api.scram import scram_verifier
from support.postgres import Cluster, wheel_cluster
from support.provisioned import (
    ADMIN,
    ANON,
    OWNER,
    PASSWORD,
    SERVICE,
    STRANGER,
    Customer,
    asking_for_passwords,
)

pytestmark = pytest.mark.timeout(300)  # it starts a PostgreSQL and many processes


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with wheel_cluster() as cluster, asking_for_passwords(cluster) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def provisioned(server: Cluster) -> Customer:
    """Provision a schema as strictly as can be; what a DBA should run has been run."""
    customer = Customer(server)
    done = customer.run("provision", "shop", "--revoke-public")
    customer.execute(";".join(done["forTheDba"]))
    return customer


@pytest.fixture
def customer(server: Cluster) -> Customer:
    return Customer(server)


# What the database enforces


DENIED = "42501"
READ_ONLY = "25006"

ANON_MAY_NOT = [
    "INSERT INTO shop.items (name) VALUES ('x')",
    "UPDATE shop.items SET name = 'x'",
    "DELETE FROM shop.items",
    "TRUNCATE shop.items",
    "DO 'BEGIN LOCK TABLE shop.items IN ACCESS EXCLUSIVE MODE; END'",
    "SELECT * FROM shop.items FOR UPDATE",
    "SELECT nextval('shop.items_id_seq')",
    "SELECT shop.answer()",
    "CREATE TABLE shop.mine_now ()",
    "CREATE TABLE public.mine_now ()",
    "CREATE TEMP TABLE mine_now ()",
    "CREATE SCHEMA mine_now",
    "ALTER TABLE shop.items ADD mine_now int",
    "DROP TABLE shop.items",
]
NOBODY_MAY = [
    "SELECT * FROM warehouse.secrets",
    "SELECT * FROM db_api.keys",
    "SELECT * FROM db_api.logins",
    "SELECT * FROM pg_authid",
    f"SET ROLE {ADMIN}",
    f"SET ROLE {OWNER}",
    f"SET SESSION AUTHORIZATION {ADMIN}",
    "ALTER ROLE CURRENT_USER CREATEROLE",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    f"GRANT {OWNER} TO CURRENT_USER",
    "CREATE ROLE mine_now",
    "CREATE SCHEMA mine_now",
    "CREATE TEMP TABLE mine_now ()",
    "ALTER TABLE shop.mine DISABLE ROW LEVEL SECURITY",
    "DROP TABLE shop.items",
    "COPY shop.items TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
]


def test_anon_reads_and_nothing_else_whatever_it_sets(provisioned: Customer) -> None:
    anon = provisioned.logins()[ANON]
    unlocked = "SET default_transaction_read_only = off"

    outcomes = provisioned.attempt(anon, unlocked, *ANON_MAY_NOT, *NOBODY_MAY)

    wanted = zip([*ANON_MAY_NOT, *NOBODY_MAY], outcomes[1:], strict=True)
    assert [(done, outcome) for done, outcome in wanted if outcome != DENIED] == []
    assert provisioned.fetch("SELECT name FROM shop.items", anon) == [("anvil",)]


def test_anon_is_read_only_before_it_sets_anything(provisioned: Customer) -> None:
    anon = provisioned.logins()[ANON]

    assert provisioned.attempt(anon, "SELECT lo_create(0)", "CREATE TABLE public.x ()") == [
        READ_ONLY if provisioned.fetch("SHOW server_version_num")[0][0] >= "160000" else DENIED,
        READ_ONLY,
    ]


def test_the_two_roles_cannot_become_each_other(provisioned: Customer) -> None:
    roles, logins = provisioned.roles(), provisioned.logins()

    for one, other in ((ANON, SERVICE), (SERVICE, ANON)):
        outcomes = provisioned.attempt(
            logins[one],
            "SET default_transaction_read_only = off",
            f"SET ROLE {roles[other]}",
            f"GRANT {roles[other]} TO {roles[one]}",
        )
        assert outcomes == ["ok", DENIED, DENIED]


def test_service_writes_in_its_schema_and_reaches_nothing_else(provisioned: Customer) -> None:
    service = provisioned.logins()[SERVICE]

    outcomes = provisioned.attempt(
        service,
        "BEGIN",
        "INSERT INTO shop.items (name) VALUES ('bell')",
        "UPDATE shop.items SET name = 'x'",
        "SELECT shop.answer()",
        "CREATE TABLE shop.own (id int GENERATED ALWAYS AS IDENTITY)",
        "INSERT INTO shop.own DEFAULT VALUES",
        "TRUNCATE shop.items",
        "ROLLBACK",
    )
    refused = provisioned.attempt(service, *NOBODY_MAY)

    assert set(outcomes) == {"ok"}
    wanted = zip(NOBODY_MAY, refused, strict=True)
    assert [(done, outcome) for done, outcome in wanted if outcome != DENIED] == []


def test_row_level_security_binds_both(provisioned: Customer) -> None:
    for url in provisioned.logins().values():
        assert provisioned.fetch("SELECT * FROM shop.mine", url) == []


def test_what_is_made_later_is_anons_to_read_and_services_to_write(provisioned: Customer) -> None:
    logins, roles = provisioned.logins(), provisioned.roles()
    makers = {"of_admin": ADMIN, "of_owner": OWNER, "of_service": roles[SERVICE]}
    for name, maker in makers.items():
        provisioned.execute(
            f"GRANT USAGE, CREATE ON SCHEMA shop TO {ADMIN}; SET ROLE {maker};"
            f"CREATE TABLE shop.{name} (id serial);"
            f"CREATE FUNCTION shop.{name}() RETURNS int LANGUAGE sql AS 'SELECT 1'"
        )

    for name in makers:
        read, call = f"SELECT * FROM shop.{name}", f"SELECT shop.{name}()"
        write = f"INSERT INTO shop.{name} DEFAULT VALUES"
        assert provisioned.attempt(logins[ANON], read, call) == ["ok", DENIED], name
        assert provisioned.attempt(logins[SERVICE], read, call, write) == ["ok"] * 3, name


def test_a_function_that_was_granted_is_anons_to_call(customer: Customer) -> None:
    customer.run("provision", "shop", "--revoke-public")
    anon, role = customer.logins()[ANON], customer.roles()[ANON]

    assert customer.attempt(anon, "SELECT shop.answer()") == [DENIED]
    customer.execute(f"GRANT EXECUTE ON FUNCTION shop.answer() TO {role}")
    assert customer.attempt(anon, "SELECT shop.answer()") == ["ok"]


def test_functions_of_a_foreign_owner_stay_everybodys_unless_asked_for(customer: Customer) -> None:
    customer.run("provision", "shop")
    anon = customer.logins()[ANON]

    assert customer.attempt(anon, "SELECT shop.answer()") == ["ok"]
    customer.run("provision", "shop", "--repair", "--revoke-public")
    anon = customer.logins()[ANON]
    assert customer.attempt(anon, "SELECT shop.answer()") == [DENIED]


# Again, mended, undone


def test_doing_it_again_changes_nothing(provisioned: Customer) -> None:
    roles = tuple(provisioned.roles().values())
    query = f"SELECT rolname, rolpassword FROM pg_authid WHERE rolname IN {roles} ORDER BY rolname"
    before = provisioned.fetch(query)
    provisioned.execute(f"REVOKE SELECT ON shop.mine FROM {roles[0]}, {roles[1]}")

    again = provisioned.run("provision", "shop")

    assert (again["provisioned"], again["roles"]) == (False, [])
    assert provisioned.fetch(query) == before
    for url in provisioned.logins().values():  # what a DBA took away stays away
        assert provisioned.attempt(url, "SELECT * FROM shop.mine") == [DENIED]


def test_repair_takes_back_what_was_changed(customer: Customer) -> None:
    customer.run("provision", "shop")
    old, roles = customer.logins(), customer.roles()
    anon = roles[ANON]
    customer.execute(
        f"""
        GRANT INSERT, UPDATE (name) ON shop.items TO {anon};
        GRANT USAGE ON SCHEMA warehouse TO {anon};
        GRANT SELECT ON warehouse.secrets TO {anon};
        REVOKE SELECT ON shop.items FROM {anon};
        REVOKE INSERT ON shop.items FROM {roles[SERVICE]};
        ALTER ROLE {anon} SET work_mem = '1GB';
        ALTER ROLE {anon} IN DATABASE {customer.name} SET default_transaction_read_only = off;
        ALTER ROLE {anon} PASSWORD 'guessed' INHERIT CONNECTION LIMIT 1;
        SET ROLE {OWNER};
        ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT DELETE ON TABLES TO {anon};
        """
    )
    assert customer.attempt(customer.url_of(anon, "guessed"), "SELECT 1") == ["ok"]

    customer.run("provision", "shop", "--repair")

    new = customer.logins()
    assert new.keys() == old.keys()
    assert not set(new.values()) & set(old.values())
    customer.execute(f"SET ROLE {OWNER}; CREATE TABLE shop.later ()")
    assert customer.attempt(
        new[ANON],
        "CREATE TABLE public.x ()",
        "SET default_transaction_read_only = off",
        "SELECT * FROM shop.items",
        "INSERT INTO shop.items DEFAULT VALUES",
        "UPDATE shop.items SET name = 'x'",
        "DELETE FROM shop.later",
        "SELECT * FROM warehouse.secrets",
    ) == [READ_ONLY, "ok", "ok", DENIED, DENIED, DENIED, DENIED]
    assert customer.attempt(new[SERVICE], "INSERT INTO shop.items DEFAULT VALUES") == ["ok"]
    assert customer.fetch(
        "SELECT rolinherit, rolconnlimit, current_setting('work_mem') <> '1GB'"
        f" FROM pg_roles WHERE rolname = '{anon}'"
    ) == [(False, 50, True)]
    with pytest.raises(Exception, match="password authentication failed"):
        customer.fetch("SELECT 1", customer.url_of(anon, "guessed"))


def test_repair_says_what_only_a_dba_can_take_back(customer: Customer) -> None:
    customer.run("provision", "shop")
    anon = customer.roles()[ANON]
    for power in ("BYPASSRLS", "CREATEDB"):
        customer.execute(f"ALTER ROLE {anon} {power}")
        status, line = customer.refused("provision", "shop", "--repair")
        customer.execute(f"ALTER ROLE {anon} NO{power}")

        assert status == 1
        assert f'ALTER ROLE "{anon}" NOSUPERUSER' in line
        assert f"NO{power}" in line


def test_deprovisioning_leaves_the_tables_and_revokes_the_keys(customer: Customer) -> None:
    customer.run("provision", "shop")
    key = customer.run("keys", "create", "--schema", "shop", "--name", "x", "--type", "anon")
    roles, service = tuple(customer.roles().values()), customer.logins()[SERVICE]
    customer.execute("CREATE TABLE shop.own (id int); INSERT INTO shop.own VALUES (7)", service)

    done = customer.run("deprovision", "shop")
    again = customer.run("deprovision", "shop")

    assert (set(done["roles"]), done["revokedKeys"]) == (set(roles), 1)
    assert (again["roles"], again["revokedKeys"]) == ([], 0)
    assert customer.fetch(f"SELECT count(*) FROM pg_roles WHERE rolname IN {roles}") == [(0,)]
    assert customer.fetch("SELECT id FROM shop.own") == [(7,)]
    assert customer.fetch("SELECT tableowner FROM pg_tables WHERE tablename = 'own'") == [(OWNER,)]
    (listed,) = customer.run("keys", "list", "--schema", "shop")
    assert (listed["id"], listed["state"]) == (key["id"], "revoked")
    assert customer.run("logins", "list") == []
    actions = [row[0] for row in customer.fetch("SELECT action FROM db_api.audit ORDER BY id")]
    assert actions == [
        *["login.set"] * 2, "key.created", *["login.removed"] * 2, "key.revoked",
    ]  # fmt: skip


def test_a_schema_that_is_gone_can_still_be_deprovisioned(customer: Customer) -> None:
    customer.run("provision", "shop")
    customer.execute("DROP SCHEMA shop CASCADE")

    assert len(customer.run("deprovision", "shop")["roles"]) == 2


def test_the_printed_sql_is_what_a_dba_can_run_by_hand(customer: Customer) -> None:
    printed = customer.run("grants", "print", "shop", "--revoke-public")
    assert customer.fetch("SELECT count(*) FROM db_api.logins") == [(0,)]
    script = ";".join(printed["statements"]).replace("<SCRAM verifier>", scram_verifier("by-hand"))
    customer.execute(script, customer.url)

    role = role_name(customer.name, "shop", KeyType.ANON)
    anon = customer.url_of(role, "by-hand")
    assert customer.attempt(anon, "SELECT * FROM shop.items", "SELECT shop.answer()") == [
        "ok",
        DENIED,
    ]
    assert any("temp_file_limit" in statement for statement in printed["forTheDba"])


# Refusals


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        (("provision", "nowhere"), 1, "There is no schema 'nowhere'"),
        (("provision", "pg_catalog"), 1, "belongs to PostgreSQL"),
        (("provision", "db_api"), 1, "belongs to PostgreSQL"),
        (("provision", "x" * 64), 2, "63 bytes"),
        (("deprovision", "db_api"), 1, "belongs to PostgreSQL"),
        (("grants", "print", "nowhere"), 1, "There is no schema 'nowhere'"),
    ],
)
def test_a_schema_out_of_reach_is_refused(
    provisioned: Customer, line: tuple[str, ...], status: int, text: str
) -> None:
    found, said = provisioned.refused(*line)

    assert (found, text in said) == (status, True), said


def test_without_a_login_of_its_own_nothing_is_provisioned(provisioned: Customer) -> None:
    status, line = provisioned.refused("provision", "shop", PROVISION_DATABASE_URL="")

    assert (status, line.partition(":")[0]) == (6, "PROVISION_DATABASE_URL")


def test_a_login_that_may_not_create_roles_is_told_what_it_needs(provisioned: Customer) -> None:
    url = provisioned.url_of(STRANGER, PASSWORD)

    status, line = provisioned.refused("provision", "warehouse", PROVISION_DATABASE_URL=url)

    assert status == 1
    assert f'ALTER ROLE "{STRANGER}" CREATEROLE' in line


def test_a_login_that_may_not_act_for_the_owners_is_told_what_it_needs(customer: Customer) -> None:
    customer.execute(f"CREATE TABLE shop.strange (); ALTER TABLE shop.strange OWNER TO {STRANGER}")

    status, line = customer.refused("provision", "shop")

    assert status == 1
    assert f'GRANT "{STRANGER}" TO "{ADMIN}"' in line


def test_a_role_that_was_there_before_is_not_taken_over(customer: Customer) -> None:
    role = role_name(customer.name, "shop", KeyType.SERVICE_ROLE)
    customer.execute(f"CREATE ROLE {role} LOGIN")

    for line in (("provision", "shop"), ("provision", "shop", "--repair"), ("deprovision", "shop")):
        status, said = customer.refused(*line)
        assert (status, role in said) == (1, True)
    assert customer.fetch("SELECT count(*) FROM db_api.logins") == [(0,)]


def test_a_login_that_an_operator_has_set_is_not_replaced(customer: Customer) -> None:
    place = ("--schema", "shop", "--type", "anon")
    customer.run("logins", "set", *place, "--role", STRANGER)

    status, line = customer.refused("provision", "shop")

    assert (status, "logins remove --schema shop --type anon" in line) == (1, True)


def test_no_role_is_made_whose_password_could_not_be_sealed(customer: Customer) -> None:
    status, line = customer.refused("provision", "shop", LICENSE_ENCRYPTION_KEY="")

    assert (status, "LICENSE_ENCRYPTION_KEY" in line) == (1, True)
    role = role_name(customer.name, "shop", KeyType.ANON)
    assert customer.fetch(f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'") == [(0,)]


def test_the_two_urls_name_one_database(customer: Customer, provisioned: Customer) -> None:
    status, line = customer.refused("provision", "shop", PROVISION_DATABASE_URL=provisioned.url)

    assert (status, "two databases" in line) == (1, True)


# Names and secrets


@pytest.mark.parametrize("schema", ['we"ird; --', "é" * 31, "x" * 63, "$q$", "Shop"])
def test_a_schema_of_any_name_has_roles_of_plain_names(customer: Customer, schema: str) -> None:
    quoted = '"' + schema.replace('"', '""') + '"'
    customer.execute(f"SET ROLE {ADMIN}; CREATE SCHEMA {quoted}; CREATE TABLE {quoted}.t ()")

    roles = customer.run("provision", schema)["roles"]

    assert len(set(roles)) == 2
    assert all(len(role) <= 63 and role.replace("_", "").isalnum() for role in roles)
    logins = customer.logins(schema)
    assert customer.attempt(logins[ANON], f"SELECT * FROM {quoted}.t", "SELECT * FROM t") == [
        "ok",
        "ok",
    ]


def test_no_password_reaches_the_log_of_postgresql(server: Cluster, provisioned: Customer) -> None:
    log = (server.folder / "log").read_text()

    assert "CREATE ROLE" in log
    for url in provisioned.logins().values():
        password = urlsplit(url).password
        assert password
        assert password not in log
