from pathlib import Path

import pytest

from db_api.setting_values import AppEnv
from db_api.settings import (
    Settings,
    SettingsError,
    read_database_settings,
    read_settings,
)

GOOD = {
    "DATABASE_URL": "postgresql://api:pa55@localhost/shop?sslmode=require",
    "AUTH_USER": "root-of-shop",
    "AUTH_PASS": "correct horse battery staple",
    "LICENSE_ENCRYPTION_KEY": "8e1f0b94c7d25a63f0e9b81d24c6a735019be8d7f2643ac5b07d1e9f8a63c254",
}


def mistakes_of(**changes: str | None) -> tuple[str, ...]:
    merged = {**GOOD, **changes}
    environ = {name: value for name, value in merged.items() if value is not None}
    with pytest.raises(SettingsError) as raised:
        read_settings(environ)
    return raised.value.mistakes


def test_every_mistake_is_named_at_once() -> None:
    found = mistakes_of(
        DATABASE_URL="mysql://localhost/shop",
        AUTH_USER=None,
        AUTH_PASS="secret",
        HOST="0.0.0.0",
        PORT="70000",
        TLS_CERT_FILE="/nowhere/cert.pem",
        TRUSTED_PROXIES="the-proxy",
        LICENSE_ENCRYPTION_KEY=None,
    )

    named = {mistake.partition(":")[0] for mistake in found}
    assert named == {
        "DATABASE_URL",
        "AUTH_USER",
        "AUTH_PASS",
        "PORT",
        "TLS_CERT_FILE",
        "TRUSTED_PROXIES",
        "LICENSE_ENCRYPTION_KEY",
    }


def test_a_database_url_that_is_no_url_is_a_mistake_like_any_other() -> None:
    (mistake,) = mistakes_of(DATABASE_URL="postgresql://api:hunter2@[::1/shop")

    assert mistake.startswith("DATABASE_URL: is not a URL")


def test_no_mistake_repeats_a_secret() -> None:
    found = mistakes_of(
        DATABASE_URL="mysql://api:hunter2@localhost/shop",
        AUTH_PASS="hunter2",
        AUTH_PASS_HASH="hunter2",
    )

    assert "hunter2" not in " ".join(found)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("admin", "secret"),
        ("admin", "admin"),
        ("root", "changeme"),
        ("root", "password"),
        ("root", "Password-1234!password"),
        ("root", "changeme-changeme"),
        ("root", "1234567890123456"),
        ("root", "aaaaaaaaaaaaaaaaaaaa"),
        ("the-administrator-of-it", "the-administrator-of-it"),
        ("bookshop", "Bookshop2026!bookshop"),
        ("root", "fifteen-letters"),
        ("root", "x" * 1025),
    ],
)
def test_a_weak_password_is_refused_in_production(user: str, password: str) -> None:
    assert [
        mistake.partition(":")[0] for mistake in mistakes_of(AUTH_USER=user, AUTH_PASS=password)
    ] == ["AUTH_PASS"]


def test_development_takes_a_weak_password_and_a_clear_cache() -> None:
    environ = {**GOOD, "AUTH_PASS": "secret", "APP_ENV": "development"}
    del environ["LICENSE_ENCRYPTION_KEY"]

    assert read_settings(environ).app_env is AppEnv.DEVELOPMENT


def test_development_listens_on_loopback_only() -> None:
    found = mistakes_of(APP_ENV="development", HOST="0.0.0.0", TRUSTED_PROXIES="10.0.0.0/8")

    assert [mistake.partition(":")[0] for mistake in found] == ["APP_ENV"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "api.example.com"])
def test_plain_http_for_other_machines_needs_a_trusted_proxy(host: str) -> None:
    assert [mistake.partition(":")[0] for mistake in mistakes_of(HOST=host)] == ["HOST"]
    assert read_settings({**GOOD, "HOST": host, "TRUSTED_PROXIES": "10.0.0.0/8"}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_plain_http_is_served_on_loopback(host: str) -> None:
    assert read_settings({**GOOD, "HOST": host}).host == host


def test_one_tls_file_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").touch()

    found = mistakes_of(TLS_CERT_FILE=str(tmp_path / "cert.pem"))

    assert found == ("TLS_CERT_FILE: set TLS_CERT_FILE and TLS_KEY_FILE together",)


@pytest.mark.parametrize(
    "weaker",
    [
        "secret",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$argon2id$v=19$m=1024,t=2,p=1$EsviX3wSqpaQWQEFg1j0Rw$DfxIhORL7bVP6GtVO9yREas6d0iQ3oXvP5HQ11oQa5U",
        "$argon2id$v=19$m=19456,t=1,p=1$EsviX3wSqpaQWQEFg1j0Rw$DfxIhORL7bVP6GtVO9yREas6d0iQ3oXvP5HQ11oQa5U",
        "$argon2id$v=19$m=19456,t=2,p=1$EsviX3wSqpaQWQEFg1j0Rw",
    ],
)
def test_a_hash_that_is_not_a_strong_argon2id_is_refused(weaker: str) -> None:
    found = mistakes_of(AUTH_PASS=None, AUTH_PASS_HASH=weaker)

    assert [mistake.partition(":")[0] for mistake in found] == ["AUTH_PASS_HASH"]


PHC = (
    "$argon2id$v=19$m=19456,t=2,p=1$EsviX3wSqpaQWQEFg1j0Rw"
    "$DfxIhORL7bVP6GtVO9yREas6d0iQ3oXvP5HQ11oQa5U"
)


@pytest.mark.parametrize("changes", [{"AUTH_PASS_HASH": PHC}, {"AUTH_PASS": None}])
def test_exactly_one_form_of_the_password_is_set(changes: dict[str, str | None]) -> None:
    found = mistakes_of(**changes)

    assert found[0].startswith("AUTH_PASS: set either AUTH_PASS or AUTH_PASS_HASH")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse battery staple\n")
    environ = {**GOOD, "AUTH_PASS_FILE": str(tmp_path / "password")}
    del environ["AUTH_PASS"]

    password = read_settings(environ).auth_pass

    assert password is not None
    assert password.get_secret_value() == "correct horse battery staple"


def test_a_secret_both_ways_or_from_a_missing_file_is_refused(tmp_path: Path) -> None:
    found = mistakes_of(
        AUTH_PASS_FILE=str(tmp_path / "password"),
        DATABASE_URL=None,
        DATABASE_URL_FILE=str(tmp_path / "url"),
    )

    assert "AUTH_PASS: set either AUTH_PASS or AUTH_PASS_FILE" in found
    assert "DATABASE_URL_FILE: cannot be read (FileNotFoundError)" in found


def test_an_empty_variable_counts_as_unset() -> None:
    assert read_settings({**GOOD, "PORT": "", "TLS_CERT_FILE": ""}).port == 3001


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = read_settings(GOOD)

    assert "pa55" not in repr(settings)
    assert "horse" not in str(settings)


def test_commands_on_the_database_need_its_url_alone() -> None:
    url = read_database_settings({"DATABASE_URL": GOOD["DATABASE_URL"]}).database_url

    assert url.get_secret_value() == GOOD["DATABASE_URL"]


def test_every_setting_is_described() -> None:
    description = f"{Settings.__doc__}"

    assert [name for name in Settings.model_fields if f"{name}:" not in description] == []
