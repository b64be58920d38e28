"""What `db-api doctor` finds: of each kind one service in order, and one that is not."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.commands import run_command
from support.licensed import LicensedMachine
from support.logins import MODEST, as_login, new_login
from support.management import execute, service_environment
from support.tls import issue_certificate

FOUND_IN_THE_DATABASE = """
CREATE SCHEMA shop; GRANT CREATE ON SCHEMA shop TO PUBLIC;
CREATE TABLE shop.orders (id int);
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE VIEW shop.past AS SELECT * FROM shop.orders;
CREATE VIEW shop.through WITH (security_invoker = true) AS SELECT * FROM shop.orders;
CREATE FUNCTION shop.definer() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION shop.closed() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION shop.closed() FROM PUBLIC;
INSERT INTO db_api.keys (id, digest, prefix, name, type, schema_name, created_at)
    VALUES (gen_random_uuid(), sha256('x'), '00000000', 'old', 'anon', 'shop',
        now() - '91 days'::interval);
"""


def examined(environment: dict[str, str]) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return the doctor's exit status, and the findings by id."""
    done = run_command("db-api", "doctor", "--json", env=environment)
    assert "Traceback" not in done.stderr
    findings = {finding["id"]: finding for finding in json.loads(done.stdout)}
    for finding in findings.values():
        assert bool(finding["remedy"]) is (finding["level"] != "PASS")
    return done.returncode, findings


@pytest.fixture
def machine(machine: LicensedMachine) -> LicensedMachine:
    """Seal the cache with a key that is no pattern."""
    machine.encryption_key = "8e1f0b94c7d25a63f0e9b81d24c6a735019be8d7f2643ac5b07d1e9f8a63c254"
    (machine.folder / "license.json").unlink()
    machine.learn()
    return machine


def production(database_url: str, machine: LicensedMachine, **settings: str) -> dict[str, str]:
    return service_environment(
        database_url,
        machine,
        **{"APP_ENV": "production", "LICENSE_SERVER_URL": "https://license.example", **settings},
    )


def test_a_service_in_order_fails_nothing(
    new_database: Callable[..., str], machine: LicensedMachine, tmp_path: Path
) -> None:
    tls = issue_certificate(tmp_path)
    tls.key.chmod(0o600)
    with new_login(
        new_database(), "", MODEST, "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "ALTER ROLE {login} SET temp_file_limit = '1GB'",
    ) as url:  # fmt: skip
        environment = production(
            url, machine, TLS_CERT_FILE=str(tls.cert), TLS_KEY_FILE=str(tls.key)
        )
        assert run_command("db-api", "migrate", env=environment).returncode == 0
        status, findings = examined(environment)

    wrong = {id_ for id_, finding in findings.items() if finding["level"] != "PASS"}
    assert status == 0
    assert wrong <= {"C002", "D009", "T002"}  # of whoever runs the tests, and by what


def test_what_is_wrong_with_the_settings_is_told_with_its_id(machine: LicensedMachine) -> None:
    environment = production(
        "postgresql://api:hunter2@203.0.113.9:1/shop", machine, AUTH_PASS="hunter2", HOST="0.0.0.0",
        LICENSE_ENCRYPTION_KEY="a" * 64, CORS_ORIGINS="*", PORT="x", LICENSE_SERVER_URL="",
        TLS_CERT_FILE="", LICENSE_ENCRYPTION_KEY_PREVIOUS=machine.encryption_key,
        DB_ALLOW_PLAINTEXT="",
    )  # fmt: skip
    status, findings = examined(environment)

    levels = {id_: finding["level"] for id_, finding in findings.items()}
    assert status == 1
    assert {id_ for id_ in levels if levels[id_] == "FAIL"} >= {"A002", "D001", "L001", "N002"}
    assert (levels["T004"], levels["L002"], levels["L004"]) == ("WARN", "WARN", "WARN")
    assert "PORT" in findings["S000"]["text"]
    assert "AUTH_PASS" not in findings["S000"]["text"]
    assert "hunter2" not in json.dumps(findings)


def test_development_takes_what_production_refuses(
    database_url: str, machine: LicensedMachine
) -> None:
    environment = service_environment(database_url, machine, AUTH_PASS="secret")

    assert examined(environment)[1]["A002"]["level"] == "WARN"


def test_a_license_that_is_not_usable_fails(database_url: str, machine: LicensedMachine) -> None:
    machine.learn("REVOKED")

    finding = examined(production(database_url, machine))[1]["L003"]
    assert (finding["level"], "revoked" in finding["text"]) == ("FAIL", True)


def test_license_settings_that_are_wrong_fail(database_url: str, machine: LicensedMachine) -> None:
    environment = production(database_url, machine, LICENSE_SERVER_URL="http://10.1.2.3")

    assert "LICENSE_SERVER_URL" in examined(environment)[1]["L002"]["text"]


def test_a_database_that_does_not_answer_fails_and_the_rest_is_told(
    machine: LicensedMachine,
) -> None:
    status, findings = examined(production("postgresql://api:x@127.0.0.1:1/shop", machine))

    assert (status, findings["D000"]["level"], findings["L003"]["level"]) == (1, "FAIL", "PASS")


def test_a_database_without_our_tables_fails(
    new_database: Callable[..., str], machine: LicensedMachine
) -> None:
    finding = examined(production(new_database(), machine))[1]["D000"]

    assert (finding["level"], "db-api migrate" in finding["remedy"]) == ("FAIL", True)


def test_what_is_wrong_in_the_database_is_named(
    database_url: str, machine: LicensedMachine
) -> None:
    asyncio.run(execute(database_url, FOUND_IN_THE_DATABASE))
    status, findings = examined(production(database_url, machine, POOL_SIZE="100"))
    texts = {id_: finding["text"] for id_, finding in findings.items()}
    levels = {id_: finding["level"] for id_, finding in findings.items()}

    assert status == 1
    assert (levels["D003"], "superuser" in texts["D003"]) == ("FAIL", True)
    assert [levels[id_] for id_ in ("A004", "D007", "D008", "D010", "D011", "D013")] == ["WARN"] * 6
    assert "shop" in texts["D013"]
    assert "shop.definer()" in texts["D010"]
    assert "closed" not in texts["D010"]
    assert "shop.past" in texts["D011"]
    assert "shop.through" not in texts["D011"]
    assert (levels["K002"], "shop (anon)" in texts["K002"]) == ("WARN", True)
    assert (levels["D005"], levels["D012"]) == ("PASS", "PASS")


def test_logins_that_may_write_or_were_changed_are_named(
    database_url: str, machine: LicensedMachine
) -> None:
    with new_login(
        database_url, "", "CREATE SCHEMA shop", "CREATE TABLE shop.items (id int)",
        "GRANT USAGE ON SCHEMA shop TO {login}", "GRANT INSERT ON shop.items TO {login}",
        "ALTER ROLE {login} SET role = 'postgres'",
        "INSERT INTO db_api.logins (schema_name, kind, role_name, is_provisioned, created_at)"
        " VALUES ('shop', 'anon', '{login}', false, now())",
    ) as url:  # fmt: skip
        findings = examined(production(database_url, machine))[1]
        login = as_login(url, "x") and url.partition("//")[2].partition("@")[0]

    assert findings["K002"]["level"] == "FAIL"
    assert f"{login}: shop.items" in findings["K002"]["text"]
    assert f"{login}: role" in findings["D004"]["text"]


def test_a_tls_key_for_everybody_and_files_that_do_not_fit_are_told(
    database_url: str, machine: LicensedMachine, tmp_path: Path
) -> None:
    tls = issue_certificate(tmp_path)
    tls.key.chmod(0o644)
    files = {"TLS_CERT_FILE": str(tls.cert), "TLS_KEY_FILE": str(tls.key)}
    assert examined(production(database_url, machine, **files))[1]["T003"]["level"] == "WARN"

    files["TLS_KEY_FILE"] = str(tls.ca)
    assert examined(production(database_url, machine, **files))[1]["T001"]["level"] == "FAIL"


def test_people_read_a_line_for_each_finding_and_what_to_do(
    database_url: str, machine: LicensedMachine
) -> None:
    done = run_command("db-api", "doctor", env=production(database_url, machine))

    lines = done.stdout.splitlines()
    (line,) = [number for number, text in enumerate(lines) if text.startswith("FAIL  D003  ")]
    assert lines[line + 1].startswith("            make a login of its own")
