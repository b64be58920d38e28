import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from db_api.passwords import password_weakness, verify_password
from support.commands import run_command
from support.licensed import LicensedMachine
from support.management import execute, service_environment


def require_one_line(done: subprocess.CompletedProcess[str], status: int, beginning: str) -> None:
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(beginning)


# serve: what keeps it from starting


def test_serve_names_every_wrong_setting_and_ends_with_6() -> None:
    done = run_command("db-api", "serve", env={"AUTH_PASS": "secret", "PORT": "x"})

    assert done.returncode == 6
    named = [line.partition(":")[0] for line in done.stderr.splitlines()]
    assert {"DATABASE_URL", "AUTH_USER", "AUTH_PASS", "PORT", "LICENSE_ENCRYPTION_KEY"} <= set(
        named
    )
    assert "secret" not in done.stderr.replace("SECRET", "")
    assert "Traceback" not in done.stderr


def test_serve_without_a_license_ends_with_78_and_one_line(
    database_url: str, machine: LicensedMachine
) -> None:
    (machine.folder / "license.json").unlink()

    done = run_command("db-api", "serve", env=service_environment(database_url, machine))

    require_one_line(done, 78, "license: ")


def test_a_flipped_byte_of_the_cache_ends_serve_with_78(
    database_url: str, machine: LicensedMachine
) -> None:
    cache = machine.folder / "license.json"
    content = bytearray(cache.read_bytes())
    content[len(content) // 2] ^= 1
    cache.write_bytes(content)

    done = run_command("db-api", "serve", env=service_environment(database_url, machine))

    require_one_line(done, 78, "license: CACHE_UNREADABLE ")


def test_the_cache_of_another_owner_ends_serve_with_78(
    database_url: str, machine: LicensedMachine
) -> None:
    environment = service_environment(database_url, machine, LICENSE_EMAIL="eve@example.com")

    require_one_line(run_command("db-api", "serve", env=environment), 78, "license: ")


def test_a_revoked_license_ends_serve_with_78(database_url: str, machine: LicensedMachine) -> None:
    machine.learn("REVOKED")

    done = run_command("db-api", "serve", env=service_environment(database_url, machine))

    require_one_line(done, 78, "license: REVOKED ")


@pytest.mark.parametrize(
    "url",
    ["http://10.1.2.3", "http://127.0.0.1.evil.example", "https://u:p@h.example", "file:///x"],
)
def test_a_license_server_that_cannot_be_trusted_ends_serve_with_78(
    database_url: str, machine: LicensedMachine, url: str
) -> None:
    environment = service_environment(database_url, machine, LICENSE_SERVER_URL=url)

    require_one_line(
        run_command("db-api", "serve", env=environment), 78, "license: CONFIG_INVALID "
    )


def test_serve_refuses_a_database_of_another_revision_and_names_both(
    new_database: Callable[..., str], machine: LicensedMachine
) -> None:
    environment = service_environment(new_database(), machine)

    done = run_command("db-api", "serve", env=environment)

    assert done.returncode == 6
    last = done.stderr.splitlines()[-1]
    assert last.startswith("db-api: The database is at revision none, this version needs 0002.")
    assert "db-api migrate" in last


def test_serve_says_when_its_port_is_taken_or_its_certificate_is_none(
    database_url: str, machine: LicensedMachine, tmp_path: Path
) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("not a certificate")
    environment = service_environment(
        database_url,
        machine,
        TLS_CERT_FILE=str(tmp_path / "cert.pem"),
        TLS_KEY_FILE=str(tmp_path / "key.pem"),
    )

    done = run_command("db-api", "serve", env=environment)

    assert done.returncode == 6
    assert "TLS_CERT_FILE" in done.stderr
    assert "Traceback" not in done.stderr


# migrate


def test_migrate_makes_the_tables_once_and_again_changes_nothing(
    new_database: Callable[..., str],
) -> None:
    environment = {"DATABASE_URL": new_database()}

    first = run_command("db-api", "migrate", "--json", env=environment)
    second = run_command("db-api", "migrate", "--json", env=environment)

    assert json.loads(first.stdout) == json.loads(second.stdout) == {"revision": "0002"}


def test_several_migrations_at_once_are_one(new_database: Callable[..., str]) -> None:
    environment = {"DATABASE_URL": new_database()}

    async def run() -> list[subprocess.CompletedProcess[str]]:
        return await asyncio.gather(
            *(
                asyncio.to_thread(run_command, "db-api", "migrate", env=environment)
                for _ in range(3)
            )
        )

    assert [(done.returncode, done.stderr) for done in asyncio.run(run())] == [(0, "")] * 3


def test_migrate_without_a_database_url_ends_with_6() -> None:
    require_one_line(run_command("db-api", "migrate"), 6, "DATABASE_URL: is required")


def test_migrate_of_a_database_that_is_not_there_ends_with_1_and_shows_no_password() -> None:
    environment = {"DATABASE_URL": "postgresql://api:hunter2@127.0.0.1:1/shop"}

    done = run_command("db-api", "migrate", env=environment)

    require_one_line(done, 1, "db-api: The database does not answer.")
    assert "Connect call failed" in done.stderr
    assert "hunter2" not in done.stderr


def test_migrate_refuses_a_database_of_a_newer_version(database_url: str) -> None:
    asyncio.run(execute(database_url, "UPDATE db_api.alembic_version SET version_num = '9999'"))

    done = run_command("db-api", "migrate", env={"DATABASE_URL": database_url})

    require_one_line(done, 6, "db-api: The database is at revision 9999, this version needs 0002.")


# keys


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--schema", "public", "--name", "x"),
        ("create", "--schema", "public", "--name", "x", "--type", "admin"),
        ("create", "--schema", "public", "--name", "", "--type", "anon"),
        ("create", "--schema", "public", "--name", "x" * 65, "--type", "anon"),
        ("revoke", "--schema", "public", "not-an-id"),
        ("list",),
        ("list", "--schema", "\udcff"),  # as the shell hands over a byte that is no UTF-8
        ("revoke", "--schema", "x" * 64, "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_keys_tells_wrong_usage_by_status_2(database_url: str, arguments: tuple[str, ...]) -> None:
    done = run_command("db-api", "keys", *arguments, env={"DATABASE_URL": database_url})

    assert done.returncode == 2


def test_keys_are_created_listed_and_revoked(database_url: str) -> None:
    environment = {"DATABASE_URL": database_url}
    scope = ("--schema", "public")

    create = ("keys", "create", *scope, "--name", "website", "--type", "anon", "--json")
    created = json.loads(run_command("db-api", *create, env=environment).stdout)
    listed = run_command("db-api", "keys", "list", *scope, "--json", env=environment).stdout
    revoked = run_command("db-api", "keys", "revoke", *scope, created["id"], env=environment)
    after = json.loads(
        run_command("db-api", "keys", "list", *scope, "--json", env=environment).stdout
    )

    assert len(created["key"]) == 64
    assert created["key"] not in listed
    assert [(key["id"], key["state"]) for key in json.loads(listed)] == [(created["id"], "live")]
    assert revoked.returncode == 0
    assert [(key["id"], key["state"]) for key in after] == [(created["id"], "revoked")]


def test_a_new_key_stands_alone_on_standard_output(database_url: str) -> None:
    done = run_command(
        *("db-api", "keys", "create", "--schema", "public", "--name", "x", "--type", "anon"),
        env={"DATABASE_URL": database_url},
    )

    assert len(bytes.fromhex(done.stdout.strip())) == 32


@pytest.mark.parametrize("schema", ["nowhere", "db_api", "pg_catalog"])
def test_a_key_for_a_schema_out_of_reach_is_refused(database_url: str, schema: str) -> None:
    done = run_command(
        *("db-api", "keys", "create", "--schema", schema, "--name", "x", "--type", "anon"),
        env={"DATABASE_URL": database_url},
    )

    require_one_line(done, 1, "db-api: ")


# gen


def test_generated_secrets_are_strong_and_alone_on_standard_output() -> None:
    password = run_command("db-api", "gen", "password")
    encryption_key = run_command("db-api", "gen", "encryption-key")

    assert password_weakness("admin", password.stdout.strip()) is None
    assert len(bytes.fromhex(encryption_key.stdout.strip())) == 32
    assert password.stderr == encryption_key.stderr == ""


def test_a_password_is_hashed_from_standard_input() -> None:
    done = run_command("db-api", "gen", "password-hash", stdin="correct horse battery staple\n")

    assert verify_password("correct horse battery staple", done.stdout.strip())


def test_a_password_that_could_never_log_in_is_not_hashed() -> None:
    done = run_command("db-api", "gen", "password-hash", stdin="x" * 1025)

    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("line", [
    "", "serve", "migrate", "demo", "doctor", "activate", "activate-license",
    "keys", "keys create", "keys list", "keys revoke",
    "logins", "logins set", "logins list", "logins remove",
    "gen", "gen password", "gen password-hash", "gen encryption-key",
])  # fmt: skip
def test_every_command_explains_itself_with_examples(line: str) -> None:
    done = run_command("db-api", *line.split(), "--help")

    assert (done.returncode, "Usage: db-api" in done.stdout) == (0, True)
    assert f"db-api {line}".rstrip() in done.stdout.partition("Examples:")[2]


def test_schemas_are_made_listed_and_dropped_by_a_command(database_url: str) -> None:
    env = {"DATABASE_URL": database_url}

    def schema(*line: str) -> subprocess.CompletedProcess[str]:
        return run_command("db-api", "schema", *line, env=env)

    assert schema("create", "shop").returncode == 0
    refused = schema("create", "shop")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert schema("create", "1x").returncode == 1
    assert schema("drop", "shop", "--confirm", "shoe").returncode == 2
    names = [one["name"] for one in json.loads(schema("list", "--json").stdout)]
    assert names == ["public", "shop"]
    dropped = schema("drop", "shop", "--confirm", "shop", "--json")
    assert json.loads(dropped.stdout) == {"name": "shop", "revokedKeys": 0}
    assert schema("drop", "shop", "--confirm", "shop").returncode == 1


def test_a_command_prints_what_keys_may_do(database_url: str) -> None:
    asyncio.run(execute(database_url, "CREATE SCHEMA shop; CREATE TABLE shop.items (id int)"))
    env = {"DATABASE_URL": database_url}
    full = run_command("db-api", "openapi", "shop", env=env)
    anon = run_command("db-api", "openapi", "shop", "--type", "anon", env=env)
    missing = run_command("db-api", "openapi", "nosuch", env=env)
    assert {"get", "post", "delete"} <= json.loads(full.stdout)["paths"]["/items"].keys()
    assert json.loads(anon.stdout)["paths"]["/items"].keys() == {"get", "head"}
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "nosuch" in missing.stderr
