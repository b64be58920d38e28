"""What the settings alone say of a service: every refusal, and what passes."""

import secrets
from pathlib import Path

import pytest

from db_api import secret_files
from db_api.addresses import database_hosts
from db_api.findings import Level
from db_api.production_rules import judge

KEY = "8e1f0b94c7d25a63f0e9b81d24c6a735019be8d7f2643ac5b07d1e9f8a63c254"


def level_of(id_: str, **values: str) -> Level:
    (found,) = [finding for finding in judge(values) if finding.id == id_]
    assert bool(found.remedy) is (found.level is not Level.PASS)
    return found.level


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("postgresql://u:p@db.example.com/x", Level.FAIL),
        ("postgresql://u:p@db.example.com/x?sslmode=disable", Level.FAIL),
        ("postgresql://u:p@db.example.com/x?sslmode=allow", Level.FAIL),
        ("postgresql://u:p@db.example.com/x?sslmode=prefer", Level.FAIL),
        ("postgresql://u:p@10.0.0.7:5432/x", Level.FAIL),
        ("postgresql://u:p@[2001:db8::1]:5432/x", Level.FAIL),
        ("postgresql://u:p@localhost,db.example.com/x", Level.FAIL),
        ("postgresql://u:p@/x?host=db.example.com", Level.FAIL),
        ("postgresql:///x?host=%2Ftmp,db.example.com", Level.FAIL),
        ("postgresql://127.0.0.1.example.com/x", Level.FAIL),
        ("postgresql://u:p@db.example.com/x?sslmode=require", Level.WARN),
        ("postgresql://u:p@db.example.com/x?sslmode=verify-ca", Level.WARN),
        ("postgresql://u:p@db.example.com/x?sslmode=verify-full", Level.PASS),
        ("postgresql://u:p@localhost/x", Level.PASS),
        ("postgresql://u:p@127.0.0.1:5432,[::1]:5433/x", Level.PASS),
        ("postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/x", Level.PASS),
        ("postgresql:///x?host=/var/run/postgresql", Level.PASS),
        ("postgresql:///x", Level.PASS),
    ],
)
def test_the_way_to_the_database_is_in_the_clear_on_this_machine_only(
    url: str, level: Level
) -> None:
    assert level_of("D001", DATABASE_URL=url) is level


def test_a_way_in_the_clear_may_be_allowed_and_stays_a_warning() -> None:
    url = "postgresql://u:p@db/x"

    assert level_of("D001", DATABASE_URL=url, DB_ALLOW_PLAINTEXT="1") is Level.WARN
    assert level_of("D001", DATABASE_URL=url, DB_ALLOW_PLAINTEXT="0") is Level.FAIL
    assert level_of("D001", DATABASE_URL=url, PGSSLMODE="verify-full") is Level.PASS


def test_no_finding_shows_a_secret() -> None:
    values = {
        "DATABASE_URL": "postgresql://api:hunter2@203.0.113.9/x",
        "AUTH_PASS": "hunter2",
        "LICENSE_ENCRYPTION_KEY": "a" * 64,
    }

    said = " ".join(f"{finding.text} {finding.remedy}" for finding in judge(values))

    assert "hunter2" not in said
    assert "a" * 64 not in said


@pytest.mark.parametrize(
    "key",
    ["0" * 64, "ab" * 32, "0123456789abcdef" * 4, "0123456789abcdef" + KEY[16:], KEY[:32] * 2,
     ("01" * 16 + "23" * 16)],
)  # fmt: skip
def test_an_encryption_key_that_somebody_typed_is_refused(key: str) -> None:
    assert level_of("L001", LICENSE_ENCRYPTION_KEY=key) is Level.FAIL
    assert level_of("L001", LICENSE_ENCRYPTION_KEY=key.upper()) is Level.FAIL


def test_no_encryption_key_that_is_random_is_refused() -> None:
    for _ in range(1000):
        assert level_of("L001", LICENSE_ENCRYPTION_KEY=secrets.token_hex(32)) is Level.PASS


def test_without_an_encryption_key_production_does_not_start() -> None:
    assert level_of("L001") is Level.FAIL
    assert level_of("L001", LICENSE_ENCRYPTION_KEY_FILE="/run/secrets/key") is Level.PASS


def test_a_key_that_is_rotated_out_is_to_be_unset() -> None:
    assert level_of("L004", LICENSE_ENCRYPTION_KEY_PREVIOUS=KEY) is Level.WARN
    assert level_of("L004") is Level.PASS


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("postgresql://u@8.8.8.8/x", Level.WARN),
        ("postgresql://u@[2606:4700::1111]/x", Level.WARN),
        ("postgresql://u@192.168.1.7/x", Level.PASS),
        ("postgresql://u@db.internal/x", Level.PASS),
    ],
)
def test_a_database_on_the_internet_is_warned_of(url: str, level: Level) -> None:
    assert level_of("N001", DATABASE_URL=url) is level


@pytest.mark.parametrize(
    ("mode", "level"), [(0o644, Level.WARN), (0o640, Level.WARN), (0o600, Level.PASS)]
)
def test_a_secret_file_is_for_its_user_alone(tmp_path: Path, mode: int, level: Level) -> None:
    file = tmp_path / "secret"
    file.touch(mode)
    file.chmod(mode)

    assert level_of("A003", LICENSE_ENCRYPTION_KEY_FILE=str(file)) is level


@pytest.mark.parametrize(
    ("mode", "owner", "group", "is_told"),
    [
        (0o440, 0, 0, False),  # a credential, as systemd shows one with its access list
        (0o440, 0, 1000, True),
        (0o440, 1000, 0, True),
        (0o640, 0, 0, True),
        (0o444, 0, 0, True),
        (0o400, 1000, 1000, False),
    ],
)
def test_a_credential_of_systemd_is_for_its_service_alone(
    mode: int, owner: int, *, group: int, is_told: bool
) -> None:
    assert secret_files.is_open(mode, owner, group) is is_told


def test_pages_of_every_site_are_warned_of() -> None:
    assert level_of("T004", CORS_ORIGINS="https://a.example, *") is Level.WARN
    assert level_of("T004", CORS_ORIGINS="https://a.example") is Level.PASS


@pytest.mark.parametrize("url", ["", "nonsense", "postgresql://[::1/x", "postgresql://u@"])
def test_a_url_that_is_none_names_no_host(url: str) -> None:
    assert database_hosts(url) == ()
